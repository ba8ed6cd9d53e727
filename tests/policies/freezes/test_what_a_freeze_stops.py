"""What is frozen is not asked, approved or carried out; everything else goes on (DESIGN §4)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.emergency_stop import stop
from accounts.models import Account
from policies.changes import cancel, cancel_all, execute, expire_due
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import ChangeRequest, Freeze, Grant, State
from policies.rules.language import Rule
from policies.workflows import Right
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Refused
from tests.policies.conftest import again, ask_send, ask_tidy, events, no, yes
from tests.policies.freezes.conftest import ACCESS, MONEY, WHY, frozen
from tests.policies.operations import mark, marks, mended, silent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_silent():
    silent.clear()


def is_unasked(house) -> bool:
    """Whether no request was written, no event of one, and nothing put on hold."""
    requests = ChangeRequest.objects.filter(organization=house.organization)
    told = AuditEvent.objects.filter(organization=house.organization, kind="change.requested")
    return not (requests.exists() or told.exists() or Group.objects.exists())


def test_nothing_is_asked_there_by_members_nor_by_keys_and_nothing_is_held(house):
    house.policy(MONEY, 1)
    key = house.bot()
    frozen(house.ana, MONEY, house.account)
    for actor, api_key in ((house.ana, None), (house.olive, None), (key.service_user, key)):
        with pytest.raises(Refused, match="is frozen until") as caught:
            ask_send(house, actor, api_key=api_key)
        assert WHY in caught.value.message
    assert is_unasked(house)


def test_nothing_is_sent_at_once_there(house):
    """P2: neither by Execute nor by a key where no policy asks for more."""
    key = house.bot()
    frozen(house.ana, MONEY)
    for actor, api_key in ((house.olive, None), (key.service_user, key)):
        with pytest.raises(Refused, match="is frozen until"):
            ask_send(house, actor, api_key=api_key)
    assert is_unasked(house)


def test_whoever_may_not_ask_learns_that_and_not_what_is_frozen(house):
    frozen(house.ana)
    with pytest.raises(Refused) as caught:
        ask_tidy(house.ben)
    assert "frozen" not in caught.value.message


def test_nothing_is_approved_there_and_what_waits_goes_on_afterwards(house, clock):
    change = ask_tidy(house.ana)
    frozen(house.olive, hours=2)
    with pytest.raises(Refused, match="is frozen until"):
        yes(change, house.ben)
    assert (again(change).state, change.decisions.count(), marks("ran", change)) == (State.PENDING, 0, 0)
    assert events(change) == ["change.requested", "access.denied"]
    clock.shift(timedelta(hours=2))
    assert yes(change, house.ben).state == State.EXECUTED


def test_other_workflows_and_accounts_go_on(house):
    house.policy(MONEY, 1)
    cold = Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    frozen(house.ana, MONEY, cold)
    assert yes(ask_send(house, house.ana), house.ben).state == State.EXECUTED
    assert yes(ask_tidy(house.ana), house.ben).state == State.EXECUTED


def test_what_is_approved_and_not_known_to_be_done_waits_and_goes_on_afterwards(house, clock):
    """R8: whoever asks again carries nothing out meanwhile."""
    house.policy(MONEY, 1)
    change = yes(ask_send(house, house.ana, fault="unavailable"), house.ben)
    assert change.state == State.APPROVED
    mended.add("unavailable")
    frozen(house.olive, MONEY, house.account, hours=2)
    assert execute(change.reference).state == State.APPROVED
    ask_unknown_again()
    assert (again(change).state, marks("ran", change), marks("released", change)) == (State.APPROVED, 0, 0)
    clock.shift(timedelta(hours=2))
    ask_unknown_again()
    assert (again(change).state, marks("ran", change)) == (State.EXECUTED, 1)


def test_what_is_approved_and_not_begun_can_be_rejected_and_taken_back_while_it_is_frozen(house):
    """It never stops rejecting: also not of what everybody had agreed to before."""
    house.policy(MONEY, 1)
    first, second, third = (yes(ask_send(house, house.ana, fault="unavailable"), house.ben) for _ in range(3))
    with pytest.raises(Conflict, match="already approved"):
        no(first, house.cleo)
    made = frozen(house.olive, MONEY)
    assert no(first, house.cleo).state == State.REJECTED
    assert cancel(second.reference, actor=house.ana).state == State.CANCELLED
    with pytest.raises(Conflict, match="already approved"):
        yes(third, house.cleo)
    Freeze.objects.filter(pk=made.pk).update(ended_at=timezone.now())
    with pytest.raises(Conflict, match="already approved"):
        no(third, house.cleo)
    assert [marks("released", change) for change in (first, second, third)] == [1, 1, 0]


def test_what_was_begun_before_it_was_frozen_is_not_rejected(house):
    """Nobody knows whether it has left: its hold is not given back."""
    house.policy(MONEY, 1)
    change = yes(ask_send(house, house.ana, fault="underway"), house.ben)
    frozen(house.olive, MONEY)
    for word in ("", "sent"):
        if word:
            mark(word, change)
        with pytest.raises(Conflict, match="already"):
            no(change, house.cleo)
        with pytest.raises(Conflict, match="already"):
            cancel(change.reference, actor=house.ana)
    assert (again(change).state, marks("released", change)) == (State.APPROVED, 0)


def test_what_comes_due_while_it_is_frozen_waits_goes_on_afterwards_and_can_be_rejected_meanwhile(house, clock):
    """P7: a delay that ends within the freeze."""
    house.policy(MONEY, 1, rules=(Rule(approvals=1, delay_hours=1),))
    first, second = (yes(ask_send(house, house.ana), house.ben) for _ in range(2))
    frozen(house.olive, MONEY, hours=3)
    clock.shift(timedelta(hours=2))
    ask_unknown_again()
    assert [again(change).state for change in (first, second)] == [State.APPROVED] * 2
    assert no(second, house.cleo).state == State.REJECTED
    clock.shift(timedelta(hours=1))
    ask_unknown_again()
    assert [again(change).state for change in (first, second)] == [State.EXECUTED, State.REJECTED]
    assert [marks("ran", change) for change in (first, second)] == [1, 0]


@pytest.mark.parametrize(("word", "ends"), [("sent", State.EXECUTED), ("broke", State.FAILED)])
def test_how_it_went_outside_is_still_written_down(house, word, ends):
    """What had left before the freeze is not called back by it."""
    house.policy(MONEY, 1)
    change = yes(ask_send(house, house.ana, fault="underway"), house.ben)
    frozen(house.olive, MONEY)
    mark(word, change)
    assert execute(change.reference).state == ends


def test_rejecting_goes_on(house):
    change = ask_tidy(house.ana)
    frozen(house.olive)
    assert no(change, house.ben).state == State.REJECTED


def test_taking_back_and_what_a_brake_ends_go_on(house):
    house.policy(MONEY, 1)
    first, second = ask_send(house, house.ana), ask_send(house, house.ana)
    frozen(house.olive, MONEY)
    assert cancel(first.reference, actor=house.ana).state == State.CANCELLED
    assert cancel_all(initiator=house.ana, reason="She was suspended.", actor=house.olive) == 1
    assert [marks("released", change) for change in (first, second)] == [1, 1]


def test_time_goes_on(house, clock):
    house.policy(MONEY, 1, open_hours=1)
    change = ask_send(house, house.ana)
    frozen(house.olive, MONEY, hours=5)
    clock.shift(timedelta(hours=1))
    assert expire_due() == 1
    assert (again(change).state, marks("released", change)) == (State.EXPIRED, 1)


def test_who_loses_the_right_to_ask_is_cancelled_meanwhile(house):
    house.policy(MONEY, 1)
    change = yes(ask_send(house, house.ana, fault="unavailable"), house.ben)
    frozen(house.olive, MONEY)
    Grant.objects.filter(member=house.ana).delete()
    with pytest.raises(Conflict, match="cancelled"):
        execute(change.reference)
    assert again(change).state == State.CANCELLED


def test_brakes_go_on(house):
    """Whoever freezes Manage Access so that nobody removes them is suspended at once all the same."""
    frozen(house.ana, ACCESS)
    stop.suspend_member(actor=house.olive, member=house.ana, reason="It was not her.")
    assert type(house.ana).objects.get(pk=house.ana.pk).is_suspended


def test_reading_goes_on(house, browser):
    change = ask_tidy(house.ana)
    frozen(house.olive)
    assert browser(house.otto).get(f"/requests/{change.reference}/").status_code == 200


def test_a_freeze_next_door_stops_nothing_here(house, next_door):
    next_door.member("ida", Right.INITIATE)
    frozen(next_door.ida)
    assert yes(ask_tidy(house.ana), house.ben).state == State.EXECUTED
