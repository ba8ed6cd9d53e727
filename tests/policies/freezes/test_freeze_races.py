"""A freeze and whoever decides at the same moment, on two real connections: never carried out after it has begun."""

from datetime import datetime
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from policies.changes import decisions, execute
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.freezes import freeze as freezing
from policies.models import ChangeRequest, Freeze, State
from portal.audit import chain
from portal.audit.record import lock_history
from portal.core.errors import Refused
from tests.policies.conftest import again, ask_send, yes
from tests.policies.freezes.conftest import MONEY, ask_lifting, frozen
from tests.policies.operations import marks, mended

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 0.4


def beside(call, meanwhile):
    """What `call` came to on a connection of its own, while `meanwhile` ran on this one once it had begun."""
    found: list[object] = []

    def side():
        try:
            found.append(call())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            found.append(error)
        finally:
            connection.close()

    thread = Thread(target=side)
    thread.start()
    meanwhile(thread)
    thread.join()
    return found[0]


@pytest.fixture
def change(house):
    house.policy(MONEY, 1)
    return ask_send(house, house.ana)


def state(change) -> str:
    return ChangeRequest.objects.get(pk=change.pk).state


def ended_at(change) -> datetime:
    at = again(change).ended_at
    assert at is not None
    return at


def test_a_yes_that_waits_for_a_freeze_which_is_being_written_is_refused(house, change):
    """CR-17, the freeze first: it is not over when the last yes comes, which waits and then finds it."""
    with transaction.atomic():
        frozen(house.olive, MONEY)
        answer: list[object] = []

        def agree():
            try:
                answer.append(yes(change, house.ben))
            except Refused as error:
                answer.append(error)
            finally:
                connection.close()

        thread = Thread(target=agree)
        thread.start()
        thread.join(PATIENCE_SECONDS)
        assert not answer, "it did not wait for the freeze"
    thread.join()
    assert isinstance(answer[0], Refused)
    assert "is frozen until" in answer[0].message
    assert (state(change), marks("ran", change)) == (State.PENDING, 0)
    assert chain.verify(house.organization.pk) is None


def test_a_freeze_that_waits_for_the_last_yes_begins_after_it_was_carried_out(house, change, monkeypatch):
    """CR-17, the yes first: it is carried out whole, and the freeze begins after that."""
    in_it, freeze_is_asked = Event(), Event()
    carry_out = decisions._carry_out

    def slowly(case, *, by):
        in_it.set()
        freeze_is_asked.wait(5)
        # The freeze is on its way by now, and waits.
        assert not Freeze.objects.exists()
        return carry_out(case, by=by)

    monkeypatch.setattr(decisions, "_carry_out", slowly)

    def meanwhile(thread):
        in_it.wait(5)

        def told(organization_id):
            freeze_is_asked.set()
            lock_history(organization_id)

        monkeypatch.setattr(freezing, "lock_history", told)
        frozen(house.olive, MONEY)

    decided = beside(lambda: yes(change, house.ben), meanwhile)
    assert (decided.state, marks("ran", change)) == (State.EXECUTED, 1)
    made = Freeze.objects.get()
    assert made.started_at >= ended_at(change)
    assert chain.verify(house.organization.pk) is None


@pytest.mark.parametrize("round_of", range(6))
def test_freeze_and_the_last_yes_at_once_come_to_one_of_two_ends(house, change, round_of):
    """Whichever comes first: carried out before the freeze began, or refused and never carried out."""
    outcome = beside(lambda: yes(change, house.ben), lambda thread: frozen(house.olive, MONEY))
    made = Freeze.objects.get()
    if isinstance(outcome, Refused):
        assert (state(change), marks("ran", change)) == (State.PENDING, 0)
    else:
        assert (state(change), marks("ran", change)) == (State.EXECUTED, 1)
        assert ended_at(change) <= made.started_at
    assert chain.verify(house.organization.pk) is None


def test_who_asks_beside_others_waits_for_the_freeze_too(house):
    """Asking for money shares what the freeze takes alone: it is found by whoever asks after it."""
    house.policy(MONEY, 1)
    answer: list[object] = []

    def ask():
        try:
            answer.append(ask_send(house, house.ana))
        except Refused as error:
            answer.append(error)
        finally:
            connection.close()

    thread = Thread(target=ask)
    with transaction.atomic():
        frozen(house.olive, MONEY)
        thread.start()
        thread.join(PATIENCE_SECONDS)
        assert not answer, "it did not wait for the freeze"
    thread.join()
    assert isinstance(answer[0], Refused)
    assert not ChangeRequest.objects.filter(organization=house.organization).exists()


def test_a_freeze_and_the_job_that_asks_again_at_once(house):
    """R8: what is approved and not known to be done is carried out before the freeze began, or not while it lasts."""
    house.policy(MONEY, 1)
    change = yes(ask_send(house, house.ana, fault="unavailable"), house.ben)
    mended.add("unavailable")
    beside(ask_unknown_again, lambda thread: frozen(house.olive, MONEY))
    if state(change) == State.EXECUTED:
        assert ended_at(change) <= Freeze.objects.get().started_at
    else:
        assert (state(change), marks("ran", change)) == (State.APPROVED, 0)
        assert execute(change.reference).state == State.APPROVED


def test_one_member_freezes_once_in_two_windows(house):
    """One at a time, also for who presses twice."""
    outcome = beside(lambda: frozen(house.ana, MONEY), lambda thread: _try(lambda: frozen(house.ana)))
    assert Freeze.objects.filter(made_by=house.ana).count() == 1
    assert outcome is not None


def test_lifting_and_a_yes_at_once(house, change):
    """The yes finds the freeze, or finds it lifted; nothing in between."""
    made = frozen(house.olive, MONEY)
    lifting = ask_lifting(house.ana, made)
    outcome = beside(lambda: yes(change, house.ben), lambda thread: yes(lifting, house.cleo))
    assert Freeze.objects.get().ended_at is not None
    ran = 0 if isinstance(outcome, Refused) else 1
    assert marks("ran", change) == ran


def _try(call):
    try:
        call()
    except Refused:
        return
