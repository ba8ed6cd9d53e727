"""Two people at the same moment, on two real connections: exactly one outcome, carried out once.

Both sides are made to meet right after each has taken its locks. While the locks hold they cannot: the first waits in
vain for the second, goes on alone, and only then lets it in.
"""

from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from policies.changes import ask_again, cancel, execute, expire, proposals, propose, room, transitions
from policies.models import ChangeRequest, Grant, Policy, State
from policies.operations import (
    ConfigurePolicy,
    LockPolicy,
    RemovePolicy,
    configure_policy,
    lock_policy,
    remove_policy,
)
from policies.rules.language import Rule
from policies.workflows import Workflow
from portal.audit import chain
from portal.audit.locks import ask_beside_others
from portal.audit.record import lock_histories
from portal.core.errors import Conflict
from tests.policies.conftest import ask_send, ask_tidy, no, yes
from tests.policies.operations import marks, mended

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 0.4


@pytest.fixture
def race(monkeypatch) -> Callable[..., list[object]]:
    """Run both at once and return what each returned or raised."""

    def run(*sides):
        meeting = Barrier(len(sides))

        def meet_after(take):
            def met(*args, **kwargs):
                taken = take(*args, **kwargs)
                with suppress(BrokenBarrierError):
                    meeting.wait(PATIENCE_SECONDS)
                return taken

            return met

        monkeypatch.setattr(transitions, "locked", meet_after(transitions.locked))
        monkeypatch.setattr(proposals, "lock_histories", meet_after(lock_histories))

        @contextmanager
        def met_beside_others(*args):
            with ask_beside_others(*args):
                with suppress(BrokenBarrierError):
                    meeting.wait(PATIENCE_SECONDS)
                yield

        monkeypatch.setattr(proposals, "ask_beside_others", met_beside_others)
        outcomes: list[object] = [None] * len(sides)

        def side(place, call):
            try:
                outcomes[place] = call()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
                outcomes[place] = error
            finally:
                connection.close()

        threads = [Thread(target=side, args=(place, call)) for place, call in enumerate(sides)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    return run


def one_conflict(outcomes) -> bool:
    """One side got through, and the other was told that it came too late."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return len(errors) == 1 and isinstance(errors[0], Conflict)


def configure(member, approvals):
    params = ConfigurePolicy(Workflow.MANAGE_ADDRESSES, approvals, always=False)
    return propose(configure_policy, actor=member, params=params)


def state(change) -> str:
    return ChangeRequest.objects.get(pk=change.pk).state


def test_two_last_approvals_at_once_carry_it_out_once(house, race):
    """CR-5: approve ∥ approve."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    outcomes = race(lambda: yes(change, house.ben), lambda: yes(change, house.cleo))
    assert sorted(outcome.state for outcome in outcomes) == [State.EXECUTED, State.PENDING]
    assert (state(change), marks("ran", change), change.decisions.count()) == (State.EXECUTED, 1, 2)
    assert chain.verify(house.organization.pk) is None


def test_one_approval_too_many_is_told_so(house, race):
    """CR-5: approve ∥ approve, where one is enough."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    outcomes = race(lambda: yes(change, house.ben), lambda: yes(change, house.cleo))
    assert one_conflict(outcomes), outcomes
    assert (state(change), marks("ran", change), change.decisions.count()) == (State.EXECUTED, 1, 1)


def test_a_double_click_is_one_decision(house, race):
    """CR-4: double click, two connections."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    outcomes = race(lambda: yes(change, house.ben), lambda: yes(change, house.ben))
    assert one_conflict(outcomes), outcomes
    assert (state(change), change.decisions.count()) == (State.PENDING, 1)


def test_two_rejections_at_once_end_what_takes_power_away(house, race):
    """fault rules-R5: reject ∥ reject, with as many left after the first as it takes, and too few after both."""
    house.policy(Workflow.MANAGE_ACCESS, 3)
    change = ask_tidy(house.ana, takes=True)
    outcomes = race(lambda: no(change, house.ben), lambda: no(change, house.cleo))
    assert sorted(outcome.state for outcome in outcomes) == [State.PENDING, State.REJECTED]
    assert (state(change), change.decisions.count()) == (State.REJECTED, 2)
    assert chain.verify(house.organization.pk) is None


def test_the_last_yes_and_a_no_at_once_on_what_takes_power_away(house, race):
    """fault rules-R5: approve ∥ reject: the no stops nothing, whichever comes first."""
    house.policy(Workflow.MANAGE_ACCESS, 1)
    change = ask_tidy(house.ana, takes=True)
    outcomes = race(lambda: yes(change, house.ben), lambda: no(change, house.cleo))
    assert all(isinstance(outcome, ChangeRequest | Conflict) for outcome in outcomes), outcomes
    assert (state(change), marks("ran", change)) == (State.EXECUTED, 1)


def test_yes_and_no_at_once_have_one_outcome(house, race):
    """CR-5: approve ∥ reject."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    outcomes = race(lambda: yes(change, house.ben), lambda: no(change, house.cleo))
    assert one_conflict(outcomes), outcomes
    executed = state(change) == State.EXECUTED
    assert executed or state(change) == State.REJECTED
    assert (marks("ran", change), marks("released", change)) == ((1, 0) if executed else (0, 1))


def test_yes_and_taking_back_at_once_have_one_outcome(house, race):
    """CR-5: approve ∥ cancel."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    outcomes = race(lambda: yes(change, house.ben), lambda: cancel(change.reference, actor=house.ana))
    assert one_conflict(outcomes), outcomes
    executed = state(change) == State.EXECUTED
    assert executed or state(change) == State.CANCELLED
    assert (marks("ran", change), marks("released", change)) == ((1, 0) if executed else (0, 1))


def test_an_expiry_and_a_late_yes_give_back_once(house, race):
    """CR-5: expire ∥ approve."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    with time_machine.travel(change.expires_at, tick=True):
        outcomes = race(lambda: expire(change.reference), lambda: yes(change, house.ben))
    assert type(outcomes[1]) is Conflict
    assert outcomes[0].state == State.EXPIRED
    assert (state(change), marks("ran", change), marks("released", change)) == (State.EXPIRED, 0, 1)


def test_two_runs_at_once_are_one(house, race):
    """CR-5: run ∥ run."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana, fault="unavailable")
    yes(change, house.ben)
    mended.add("unavailable")
    outcomes = race(lambda: execute(change.reference), lambda: execute(change.reference))
    assert one_conflict(outcomes), outcomes
    assert (state(change), marks("ran", change)) == (State.EXECUTED, 1)


def test_two_askings_at_once_take_two_numbers(house, race):
    outcomes = race(lambda: ask_tidy(house.ana, "a"), lambda: ask_tidy(house.olive, "b"))
    assert sorted(outcome.number for outcome in outcomes) == [1, 2]


def test_the_cap_of_open_requests_is_exact(house, race, monkeypatch):
    """R6: two askings at once, with room for one."""
    monkeypatch.setattr(room, "OPEN_PER_MEMBER", 1)
    outcomes = race(lambda: ask_tidy(house.ana, "a"), lambda: ask_tidy(house.ana, "b"))
    assert one_conflict(outcomes), outcomes
    assert ChangeRequest.objects.filter(member=house.ana).count() == 1


def test_the_cap_of_a_key_is_exact(house, race, monkeypatch):
    """R6: the same for a key."""
    monkeypatch.setattr(room, "OPEN_PER_KEY", 1)
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    key = house.bot()
    sides = [lambda: ask_send(house, key.service_user, api_key=key)] * 2
    outcomes = race(*sides)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ChangeRequest", "TooMany"], outcomes
    assert ChangeRequest.objects.filter(api_key=key).count() == 1


def test_a_double_click_asks_again_once(house, race):
    """R8: the second click finds that it was asked again already."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    cancel(change.reference, actor=house.ana)
    sides = [lambda: ask_again(change.reference, member=house.ana)] * 2
    outcomes = race(*sides)
    assert one_conflict(outcomes), outcomes
    assert ChangeRequest.objects.filter(asked_again_from=change).count() == 1


def test_of_two_policies_wished_for_one_is_carried_out_and_the_other_stale(house, race):
    """R6: two last approvals at once, for two requests that write over the same."""
    Grant.objects.filter(member=house.olive, workflow=Workflow.MANAGE_POLICIES, right="execute").delete()
    sides = [configure(member, approvals) for member, approvals in ((house.ana, 1), (house.olive, 2))]
    outcomes = race(lambda: yes(sides[0], house.ben), lambda: yes(sides[1], house.cleo))
    assert one_conflict(outcomes), outcomes
    assert sorted(state(change) for change in sides) == [State.EXECUTED, State.STALE]
    assert chain.verify(house.organization.pk) is None


def almost_locked(house, workflow):
    """A lock that asks for three and has two of them (DESIGN P3)."""
    lock = propose(lock_policy, actor=house.olive, params=LockPolicy(workflow, 3, always=True))
    for member in (house.ben, house.cleo):
        lock = yes(lock, member)
    assert lock.state == State.PENDING
    return lock


def test_a_lock_and_a_last_approval_at_once_have_one_order(house, race):
    """P4: it binds what was opened before. Either the removal came first, or it waits for as many as the lock asks."""
    policy = house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    Policy.objects.filter(pk=policy.pk).update(is_locked=True)
    house.policy(Workflow.MANAGE_ADDRESSES, 3)
    change = propose(remove_policy, actor=house.ana, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
    lock = almost_locked(house, Workflow.MANAGE_ADDRESSES)
    outcomes = race(lambda: yes(change, house.ben), lambda: yes(lock, house.fay))
    assert outcomes[1].state == State.EXECUTED
    if state(change) == State.EXECUTED:
        assert not Policy.objects.filter(pk=policy.pk).exists()
    else:
        assert state(change) == State.PENDING
        assert Policy.objects.filter(pk=policy.pk).exists()


def test_a_lock_and_the_removal_of_what_it_locks_at_once_have_one_order(house, race):
    """R6: either the removal came first, or the lock made it stale."""
    policy = house.policy(Workflow.INITIATE_WITHDRAWAL, 3)
    change = propose(remove_policy, actor=house.ana, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
    lock = almost_locked(house, Workflow.INITIATE_WITHDRAWAL)
    outcomes = race(lambda: yes(change, house.ben), lambda: yes(lock, house.fay))
    if state(change) == State.EXECUTED:
        assert type(outcomes[1]) is Conflict
        assert not Policy.objects.filter(pk=policy.pk).exists()
    else:
        assert (state(change), outcomes[1].state) == (State.STALE, State.EXECUTED)
        assert Policy.objects.get(pk=policy.pk).is_locked


def test_a_rejection_against_the_end_of_a_delay(house, race):
    """Either it is rejected and never runs, or it has run and the rejection came too late."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1, rules=(Rule(approvals=1, delay_hours=24),))
    change = yes(ask_send(house, house.ana), house.ben)
    ready = change.ready_at
    # The clock stands a moment before the end for who rejects, and goes on while both wait for the lock.
    with time_machine.travel(ready - timedelta(milliseconds=200), tick=True):
        outcomes = race(lambda: no(change, house.cleo), lambda: _execute_from(ready, change))
    rejected = state(change) == State.REJECTED
    assert marks("ran", change) == (0 if rejected else 1)
    assert state(change) in (State.REJECTED, State.EXECUTED)
    assert rejected or isinstance(outcomes[0], Conflict)


def _execute_from(ready, change):
    while timezone.now() < ready:
        pass
    return execute(change.reference)
