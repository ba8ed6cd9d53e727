"""P5 against brute force in small Organizations: refused is exactly what makes a shortage appear or grow."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules import (
    WITHDRAW,
    Asked,
    Bot,
    Facts,
    Held,
    Key,
    Person,
    Terms,
    approvals_needed,
    eligible,
    is_locked,
    is_met,
)
from policies.rules.dead_ends import refuse_grown, shortages
from policies.rules.spare_approvers import spare_people
from policies.rules.what_if import hindrances, locked, prospect, with_policy
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from tests.policies import small
from tests.policies.small import ACCESS, POLICIES, WITHDRAWAL

pytestmark = pytest.mark.slow

STRANGERS = tuple(Person(100 + number, 100 + number, f"Stranger {number}") for number in range(25))


def missing_by_trying(facts: Facts) -> dict[Any, int]:
    """How many strangers would have to approve beside all who can, for whatever anybody might ask."""
    facts = replace(facts, people=tuple(replace(person, is_resting=False) for person in facts.people))
    found: dict[Any, int] = {}
    for workflow in Workflow:
        for account_id in facts.accounts if workflow.by_account else (None,):
            people = [person for person in facts.people if person.may_initiate(workflow, account_id)]
            keys = [
                bot.through(key.key_id)
                for bot in facts.bots
                for key in bot.keys
                if workflow is WITHDRAWAL and key.is_live and bot.may_withdraw and bot.account_id == account_id
            ]
            everybody: tuple[Any, ...] = (*people, *keys)
            for initiator in everybody:
                kinds = {False, is_locked(facts.policies) and workflow in (ACCESS, POLICIES)}
                for protected in kinds:
                    asked = Asked(workflow, initiator, account_id, protected=protected)
                    need, able = approvals_needed(asked, facts.policies), eligible(asked, facts)
                    short = next(k for k in range(25) if is_met(need, (*able, *STRANGERS[:k]), asked))
                    place = (workflow, account_id, type(initiator).__name__, initiator.name)
                    found[place] = max(found.get(place, 0), short)
    return {place: short for place, short in found.items() if short}


def place_of(shortage):
    kind = "Person" if shortage.who[0] == "member" else "Bot"
    return (shortage.workflow, shortage.account_id, kind, shortage.initiator)


@settings(deadline=None)
@given(small.organizations())
def test_what_is_short_is_what_trying_finds(facts):
    assert {place_of(shortage): shortage.missing for shortage in shortages(facts)} == missing_by_trying(facts)


def is_stuck_worse(before: Facts, after: Facts) -> bool:
    """Whether even the luckiest who could ask for a change of access lacks more approvers than before (rules-f3)."""

    def least(facts: Facts) -> int:
        tried = missing_by_trying(facts)
        asking = [person for person in facts.people if person.may_initiate(ACCESS)]
        return min((tried.get((ACCESS, None, "Person", person.name), 0) for person in asking), default=1)

    return least(after) > least(before)


@settings(deadline=None)
@given(small.organizations(), small.organizations())
def test_exactly_what_makes_a_shortage_appear_or_grow_is_refused(before, after):
    tried = missing_by_trying(before)
    worse = {place: short for place, short in missing_by_trying(after).items() if short > tried.get(place, 0)}
    if not worse:
        if not is_stuck_worse(before, after):
            refuse_grown(before, after)
            return
        with pytest.raises(Refused, match=r"asked by anybody|Nobody would be left who may ask"):
            refuse_grown(before, after)
        return
    with pytest.raises(Refused, match="nobody can finish") as refused:
        refuse_grown(before, after)
    most = max(worse.values())
    assert any(
        workflow.title in refused.value.message and f"asked by {name}," in refused.value.message
        for (workflow, _, _, name), short in worse.items()
        if short == most
    )
    assert re.search(rf"\b{most} more member{'' if most == 1 else 's'}\b", refused.value.message)


@settings(deadline=None)
@given(small.organizations(), st.sampled_from(Workflow), st.data())
def test_every_repair_passes(facts, workflow, data):
    """One more approver, fewer approvals asked for, no policy, a bot that asks no more: never refused."""
    approver = Person(
        50,
        50,
        "Nell",
        factors=frozenset({"totp", "passkey"}),
        grants=frozenset(Held(each, Right.APPROVE) for each in Workflow),
    )
    policy = next((terms for terms in facts.policies if terms.workflow == workflow), None)
    repairs = [
        replace(facts, people=(*facts.people, approver)),
        with_policy(facts, workflow, None),
        replace(facts, bots=facts.bots[1:]),
    ]
    if policy is not None:
        fewer = data.draw(st.integers(1, policy.approvals))
        repairs += [
            with_policy(facts, workflow, replace(policy, approvals=fewer)),
            with_policy(facts, workflow, replace(policy, always=False)),
            with_policy(facts, workflow, replace(policy, is_locked=False)),
        ]
    for repaired in repairs:
        refuse_grown(facts, repaired)


@settings(deadline=None)
@given(small.organizations(), st.sampled_from(Workflow))
def test_what_hinders_a_lock_is_why_it_would_be_refused(facts, workflow):
    after = locked(facts, workflow)
    if hindrances(facts, after):
        with pytest.raises(Refused):
            refuse_grown(facts, after)
    else:
        refuse_grown(facts, after)


def goes_on(facts: Facts, workflow, account_id) -> bool:
    """Whether anybody could still carry anything of the hardest kind through."""
    awake = replace(facts, people=tuple(replace(person, is_resting=False) for person in facts.people))
    asking: list[Any] = [person for person in awake.people if person.may_initiate(workflow, account_id)]
    if workflow is WITHDRAWAL:
        asking += [
            bot.through(key.key_id)
            for bot in facts.bots
            for key in bot.keys
            if key.is_live and bot.may_withdraw and bot.account_id == account_id
        ]
    return any(prospect(awake, initiator, workflow, account_id, protected=True).is_possible for initiator in asking)


def without(facts: Facts, lost: int) -> Facts:
    people = (
        replace(person, is_active=person.is_active and not lost & (1 << place))
        for place, person in enumerate(facts.people)
    )
    return replace(facts, people=tuple(people))


@settings(deadline=None)
@given(small.organizations(bots=small.bots(most=1, keys=1)), st.sampled_from(Workflow))
def test_spare_people_are_as_many_as_can_be_lost_whoever_they_are(facts, workflow):
    account_id = 1 if workflow.by_account else None
    stops = [lost for lost in range(2 ** len(facts.people)) if not goes_on(without(facts, lost), workflow, account_id)]
    fewest = min((lost.bit_count() for lost in stops), default=None)
    assert spare_people(facts, workflow, account_id) == (None if fewest is None else fewest - 1)


def test_who_would_not_count_is_named_with_the_reason():
    """The order that works: another approver, or one who is held up."""
    ana = Person(1, 1, "Ana", factors=frozenset({"totp"}), grants=frozenset({Held(ACCESS, Right.INITIATE)}))
    ben = Person(2, 2, "Ben", grants=frozenset({Held(ACCESS, Right.APPROVE)}))
    before = Facts("any", people=(replace(ana, grants=frozenset()), ben))
    with pytest.raises(Refused) as refused:
        refuse_grown(before, replace(before, people=(ana, ben)))
    assert refused.value.message == (
        "This would leave requests that nobody can finish. Manage Access, asked by Ana, would need 1 approval, and "
        "1 approver is missing. First give Approve on Manage Access to 1 more member, then ask again. "
        "Whoever holds it already but does not count: Ben has no second factor."
    )


def test_a_policy_that_cannot_be_read_is_put_right_first():
    broken = Terms(ACCESS, 0, always=True, open_hours=72)
    ana = Person(1, 1, "Ana", factors=frozenset({"totp"}), grants=frozenset({Held(ACCESS, Right.EXECUTE)}))
    with pytest.raises(Refused, match=r"its policy cannot be read.*First configure that policy again"):
        refuse_grown(Facts("any", people=(ana,)), Facts("any", people=(ana,), policies=(broken,)))


def test_what_has_stopped_already_has_no_spare_people():
    """A bot asks, its policy wants two, and nobody approves: minus one, however far from going on it is."""
    bot = Bot(1, "bot-1", 1, permissions=frozenset({WITHDRAW}), keys=(Key(1),))
    policies = (Terms(WITHDRAWAL, 2, always=False, open_hours=72),)
    assert spare_people(Facts("any", small.ACCOUNTS, (), (bot,), policies), WITHDRAWAL, 1) == -1
