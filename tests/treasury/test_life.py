"""Random members, rights, policies, locks and clocks, on two connections: what must hold holds after every step.

Each example founds an Organization of its own with a funded Account. A step runs on either connection, or two run at
once; whatever the portal refuses is refused, and then everything is looked at again.
"""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from accounts import grants
from accounts.emergency_stop import stop
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.models import Member
from policies import changes
from policies.models import Policy
from policies.operations import (
    ConfigurePolicy,
    LockPolicy,
    RemovePolicy,
    UnlockPolicy,
    configure_policy,
    lock_policy,
    remove_policy,
    unlock_policy,
)
from policies.workflows import Right, Workflow
from portal.venues.paper import reconciliation
from tests.treasury.life import MONEY, NAMES, Organized

people = st.sampled_from(NAMES)
workflows = st.sampled_from([MONEY, Workflow.MANAGE_POLICIES, Workflow.MANAGE_ACCESS])
places = st.integers(min_value=0, max_value=7)


class Life(Organized):
    """What people, bots and time do."""

    # Asking

    @rule(name=people, amount=st.sampled_from(["0.5", "3", "6"]), elsewhere=st.booleans())
    def ask_for_money(self, name: str, amount: str, elsewhere: bool) -> None:
        self.do(lambda: self.withdraw(self.house.people[name], amount), elsewhere)

    @rule(amount=st.sampled_from(["0.5", "3"]), elsewhere=st.booleans())
    def a_bot_asks_for_money(self, amount: str, elsewhere: bool) -> None:
        self.do(lambda: self.withdraw(self.key.service_user, amount, api_key=self.key), elsewhere)

    @rule(name=people, workflow=workflows, approvals=st.integers(1, 3), always=st.booleans(), elsewhere=st.booleans())
    def ask_for_a_policy(self, name: str, workflow: Workflow, approvals: int, always: bool, elsewhere: bool) -> None:
        self.do(self.proposing(name, configure_policy, ConfigurePolicy(workflow, approvals, always)), elsewhere)

    @rule(name=people, workflow=workflows)
    def ask_for_no_policy(self, name: str, workflow: Workflow) -> None:
        self.do(self.proposing(name, remove_policy, RemovePolicy(workflow)), elsewhere=False)

    @rule(name=people, workflow=workflows, locked=st.booleans())
    def ask_for_a_lock(self, name: str, workflow: Workflow, locked: bool) -> None:
        policy = Policy.objects.filter(organization=self.house.organization, workflow=workflow).first()
        if locked and policy:
            params = LockPolicy(workflow, policy.approvals, policy.always)
            self.do(self.proposing(name, lock_policy, params), elsewhere=False)
        else:
            self.do(self.proposing(name, unlock_policy, UnlockPolicy(workflow)), elsewhere=False)

    @rule(name=people, about=people, keeps=st.booleans())
    def ask_for_rights(self, name: str, about: str, keeps: bool) -> None:
        member = self.house.people[about]
        held = grants.of(member)
        approve = tuple(grants.Given(workflow, Right.APPROVE) for workflow in Workflow)
        after = grants.ordered((*held, *approve)) if keeps else tuple(one for one in held if one not in approve)
        self.do(self.proposing(name, change_rights, ChangeRights(member.pk, held, after)), elsewhere=False)

    @rule(place=places)
    def ask_again(self, place: int) -> None:
        change = self.picked(place, open_only=False)
        if change is not None and change.member is not None:
            member = change.member
            self.do(lambda: changes.ask_again(change.reference, member=member), elsewhere=False)

    # Deciding and ending

    @rule(name=people, place=places, approved=st.booleans(), elsewhere=st.booleans())
    def decide(self, name: str, place: int, approved: bool, elsewhere: bool) -> None:
        self.do(self.deciding(name, place, approved), elsewhere)

    @rule(names=st.permutations(NAMES), place=places)
    def all_approve(self, names: list[str], place: int) -> None:
        for number, name in enumerate(names):
            self.do(self.deciding(name, place, True), elsewhere=number % 2 == 0)
            self.look()

    @rule(
        name=st.sampled_from(["olive", "ana", "dora", "bot"]),
        amount=st.sampled_from(["0.5", "1"]),
        then=st.none() | st.tuples(st.integers(1, 3), st.booleans()),
        loses=st.none() | st.sampled_from(["ben", "cleo"]),
        order=st.permutations(NAMES),
    )
    def ask_change_what_counts_and_decide(
        self, name: str, amount: str, then: tuple[int, bool] | None, loses: str | None, order: list[str]
    ) -> None:
        """The whole way of one request, with another policy and fewer rights half way."""
        if name == "bot":
            self.do(lambda: self.withdraw(self.key.service_user, amount, api_key=self.key), elsewhere=True)
        else:
            self.do(lambda: self.withdraw(self.house.people[name], amount), elsewhere=True)
        self.look()
        self.do(self.deciding(order[0], 0, True), elsewhere=False)
        self.look()
        if then is not None:
            self.do(self.proposing("olive", configure_policy, ConfigurePolicy(MONEY, *then)), elsewhere=True)
            self.look()
        if loses is not None:
            self.ask_for_rights("olive", loses, keeps=False)
            self.look()
        for number, decider in enumerate(order[1:]):
            self.do(self.deciding(decider, 0, True), elsewhere=number % 2 == 0)
            self.look()

    @rule(place=places, name=people)
    def cancel(self, place: int, name: str) -> None:
        change = self.picked(place)
        if change is not None:
            self.do(lambda: changes.cancel(change.reference, actor=self.house.people[name]), elsewhere=True)

    @rule(name=people, about=st.sampled_from(["ana", "ben", "cleo"]))
    def suspend(self, name: str, about: str) -> None:
        self.do(
            lambda: stop.suspend_member(
                actor=self.house.people[name], member=self.house.people[about], reason="It has to stop."
            ),
            False,
        )

    @rule(about=people)
    def bring_back(self, about: str) -> None:
        """Behind the portal's back, so that an example does not run out of people."""
        member = Member.objects.filter(pk=self.house.people[about].pk)
        member.update(suspended_at=None, suspended_by=None, suspended_until=None)

    @rule(hours=st.sampled_from([1, 30]), job=st.booleans())
    def time_passes(self, hours: int, job: bool) -> None:
        self.now.shift(timedelta(hours=hours))
        if job:
            self.do(changes.expire_due, elsewhere=True)

    # At once

    @rule(first=people, second=people, place=places, approved=st.booleans())
    def two_decide_at_once(self, first: str, second: str, place: int, approved: bool) -> None:
        self.race(self.deciding(first, place, True), self.deciding(second, place, approved))

    @rule(name=people, place=places, approvals=st.integers(1, 3))
    def the_policy_changes_while_one_decides(self, name: str, place: int, approvals: int) -> None:
        wish = self.proposing("olive", configure_policy, ConfigurePolicy(MONEY, approvals, always=True))
        self.race(wish, self.deciding(name, place, True))

    @rule(name=people, place=places)
    def one_takes_back_what_another_approves(self, name: str, place: int) -> None:
        change = self.picked(place)
        if change is not None and change.member is not None:
            member = change.member
            back = lambda: changes.cancel(change.reference, actor=member)  # noqa: E731
            self.race(back, self.deciding(name, place, True))


@pytest.mark.slow
@pytest.mark.alike
@pytest.mark.django_db(transaction=True)
def test_a_life_of_requests_breaks_no_rule():
    """CR-3, CR-5, CR-7, CR-8, CR-11, CR-12: whatever people do, in whatever order, on two connections."""
    bounded = settings(
        max_examples=14,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(Life, settings=bounded)
    assert list(reconciliation.differences()) == []
