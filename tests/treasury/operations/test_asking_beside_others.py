"""Money asked for while what it is judged by changes, and beside others who ask: on connections of their own."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from decimal import Decimal
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import grants
from accounts.api_keys import lifecycle
from accounts.emergency_stop.stop import pause_key, revoke_key, suspend_service_user
from accounts.emergency_stop.suspensions import suspend_member
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.models import Member, ServiceUser
from policies.changes import proposals, propose, room
from policies.models import ChangeRequest, State
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Workflow
from portal.audit import chain
from portal.core.errors import Refused, TooMany
from portal.treasury import idempotency
from portal.treasury.errors import UnknownAddress
from portal.treasury.idempotency import SentForm
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import RemoveAddress, remove_address, withdraw
from portal.treasury.quotes import preview
from portal.venues.errors import InsufficientFunds
from portal.venues.paper import reconciliation
from tests.factories.world import make_bot
from tests.venues.conftest import together

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 0.5
LONG_SECONDS = 20
MONEY = Workflow.INITIATE_WITHDRAWAL


class Threads(ThreadPoolExecutor):
    """Runs each thing on a connection of its own."""

    def begin(self, act, *args, **kwargs) -> Future[Any]:
        def run():
            try:
                return act(*args, **kwargs)
            finally:
                connection.close()

        return self.submit(run)


@pytest.fixture
def threads():
    with Threads(2) as pool:
        yield pool


class Stop:
    """A place at which whoever comes first stands until the test lets them go."""

    def __init__(self) -> None:
        self.reached, self.go = Event(), Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.go.wait(LONG_SECONDS)


@pytest.fixture
def judged(monkeypatch) -> Stop:
    """Stands where a request was judged, and its money is not on hold yet."""
    stop, judge = Stop(), room.make_room

    def judge_and_stand(change, entry, **kwargs):
        judge(change, entry, **kwargs)
        if entry.money and not stop.reached.is_set():
            stop()

    monkeypatch.setattr(proposals, "make_room", judge_and_stand)
    return stop


def revoke(world):
    bot = world.bot("treasury-bot")
    revoke_key(actor=world.members["owner"], api_key=bot.key, reason="It leaked.")


def pause(world):
    pause_key(actor=world.members["owner"], api_key=world.bot("treasury-bot").key, reason="It may have leaked.")


def suspend(world):
    bot = world.bot("treasury-bot").service_user
    suspend_service_user(actor=world.members["owner"], service_user=bot, reason="It misbehaves.")


def take_address(world):
    address = Address.objects.get(account=world.account, key="btc-cold")
    params = RemoveAddress(world.account.pk, address.pk, "btc-cold")
    assert propose(remove_address, actor=world.members["owner"], params=params).state == State.EXECUTED


def raise_policy(world):
    params = ConfigurePolicy(MONEY, 3, always=True)
    assert propose(configure_policy, actor=world.members["owner"], params=params).state == State.EXECUTED


STOPS = [revoke, pause, suspend]


@pytest.mark.parametrize("act", [*STOPS, take_address, raise_policy], ids=lambda act: act.__name__)
def test_nothing_that_it_is_judged_by_changes_while_it_is_asked(world, ask, threads, judged, standing, act):
    """Whatever takes power away comes after what was judged before it, and finds it."""
    asking = threads.begin(ask)
    assert judged.reached.wait(LONG_SECONDS)
    acting = threads.begin(act, world)
    assert not wait([acting], timeout=PATIENCE_SECONDS).done
    judged.go.set()
    change = asking.result(LONG_SECONDS)
    acting.result(LONG_SECONDS)
    change.refresh_from_db()
    assert change.state == (State.CANCELLED if act in STOPS else State.PENDING)
    assert standing()[1] == (0 if act in STOPS else 12_500_000_000)
    assert chain.verify(world.organization.pk) is None


def take_rights(world):
    ana = world.members["ana"]
    params = ChangeRights(ana.pk, before=grants.of(ana), after=())
    assert propose(change_rights, actor=world.members["owner"], params=params).state == State.EXECUTED


def suspend_asker(world):
    suspend_member(actor=world.members["owner"], member=world.members["ana"], reason="Her phone is gone.")


@pytest.mark.parametrize("act", [take_rights, suspend_asker], ids=lambda act: act.__name__)
def test_a_member_who_asks_keeps_what_it_takes_until_it_is_asked_and_nothing_after(
    world, ask, threads, judged, standing, ana, act
):
    asking = threads.begin(ask, actor=ana, api_key=None)
    assert judged.reached.wait(LONG_SECONDS)
    acting = threads.begin(act, world)
    assert not wait([acting], timeout=PATIENCE_SECONDS).done
    judged.go.set()
    change = asking.result(LONG_SECONDS)
    acting.result(LONG_SECONDS)
    change.refresh_from_db()
    assert (change.state, standing()[1]) == (State.CANCELLED, 0)


@pytest.mark.parametrize("act", [take_rights, suspend_asker], ids=lambda act: act.__name__)
def test_a_member_who_asks_while_that_is_taken_away_is_refused(world, ask, threads, standing, ana, act):
    asking = changed_meanwhile(world, lambda: ask(actor=ana, api_key=None), threads, act)
    with pytest.raises(Refused):
        asking.result(LONG_SECONDS)
    assert standing()[1] == 0


@pytest.mark.parametrize("act", [*STOPS, take_address], ids=lambda act: act.__name__)
def test_who_asks_while_that_is_taken_away_waits_and_is_refused(world, ask, threads, standing, act):
    """A read of rights is never from before the lock."""
    asking = changed_meanwhile(world, ask, threads, act)
    with pytest.raises(UnknownAddress if act is take_address else Refused):
        asking.result(LONG_SECONDS)
    assert standing()[1] == 0
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


def test_who_asks_while_the_policy_is_raised_needs_what_it_says_then(world, ask, threads):
    change = changed_meanwhile(world, ask, threads, raise_policy).result(LONG_SECONDS)
    assert change.approvals_required == 3


def changed_meanwhile(world, ask, threads, act):
    """The asking of something that was under way when `act` had been done and was not committed."""
    done = Stop()

    def act_and_stand():
        with transaction.atomic():
            act(world)
            done()

    acting = threads.begin(act_and_stand)
    assert done.reached.wait(LONG_SECONDS)
    asking = threads.begin(ask)
    assert not wait([asking], timeout=PATIENCE_SECONDS).done
    done.go.set()
    acting.result(LONG_SECONDS)
    return asking


@pytest.mark.postgresql
def test_two_bots_of_an_organization_ask_at_the_same_time(world, ask, threads, judged):
    """One of them stands in the midst of it, and the other has its answer."""
    other = make_bot(world.members["owner"], world.account, "other-bot", ("withdraw-funds",))
    asking = threads.begin(ask)
    assert judged.reached.wait(LONG_SECONDS)
    second = threads.begin(ask, actor=other.service_user, api_key=other.key)
    assert second.result(LONG_SECONDS).state == State.PENDING
    assert not asking.done()
    judged.go.set()
    assert asking.result(LONG_SECONDS).number == second.result().number + 1
    assert chain.verify(world.organization.pk) is None


def test_what_runs_at_once_waits_for_who_asks(world, ask, threads, judged, owner, standing):
    """It was judged beside others first, and gave those locks back: it waits for nobody who waits for it."""
    propose(configure_policy, actor=owner, params=ConfigurePolicy(MONEY, 2, always=False))
    asking = threads.begin(ask)
    assert judged.reached.wait(LONG_SECONDS)
    address = Address.objects.get(account=world.account, key="btc-cold")
    params = preview(address, Decimal(2)).params(Decimal("0.00005"))
    sending = threads.begin(propose, withdraw, actor=owner, params=params)
    assert not wait([sending], timeout=PATIENCE_SECONDS).done
    judged.go.set()
    waiting, sent = asking.result(LONG_SECONDS), sending.result(LONG_SECONDS)
    assert (waiting.state, sent.state, sent.number) == (State.PENDING, State.EXECUTED, waiting.number + 1)
    assert standing() == (91_500_000_000, 12_500_000_000)
    assert chain.verify(world.organization.pk) is None
    assert list(reconciliation.differences()) == []


def test_what_is_past_its_time_is_ended_by_who_asks_next(world, ask, standing, time_machine):
    """R5: ending it writes over other rows, so that is asked alone, from the beginning."""
    first = ask("1")
    time_machine.move_to(first.expires_at, tick=False)
    second = ask("2")
    first.refresh_from_db()
    assert (first.state, second.state, second.number) == (State.EXPIRED, State.PENDING, first.number + 1)
    assert standing()[1] == 20_000_000_000
    assert chain.verify(world.organization.pk) is None


def test_two_bots_over_one_balance_hold_it_once(world, ask, standing):
    """CR-11: two keys, so that neither waits for the other before the balance."""
    other = make_bot(world.members["owner"], world.account, "other-bot", ("withdraw-funds",))
    results = together(partial(ask, "8"), partial(ask, "8", actor=other.service_user, api_key=other.key))
    assert sum(isinstance(result, InsufficientFunds) for result in results) == 1, results
    assert ChangeRequest.objects.filter(operation="treasury.withdraw").count() == 1
    assert standing() == (44_000_000_000, 80_000_000_000)
    assert list(reconciliation.differences()) == []


def test_the_last_place_of_a_key_is_taken_once(ask, monkeypatch):
    """R6: the cap of a key, asked for twice at once when there is room for one."""
    monkeypatch.setattr(room, "OPEN_PER_KEY", 3)
    for _ in range(2):
        ask("0.1")
    results = together(*[partial(ask, "0.1")] * 3)
    assert sorted(type(result).__name__ for result in results) == ["ChangeRequest", "TooMany", "TooMany"], results
    assert all(isinstance(result, ChangeRequest | TooMany) for result in results)


def test_numbers_are_taken_once_and_none_is_left_out(world, ask):
    """Also where some of those who ask are refused after they had waited."""
    owner = world.members["owner"]
    bots = [make_bot(owner, world.account, f"bot-{number}", ("withdraw-funds",)) for number in range(4)]
    calls = [
        partial(ask, amount, actor=bot.service_user, api_key=bot.key) for bot in bots for amount in ("0.1", "99", "0.2")
    ]
    results = together(*calls)
    asked = [result for result in results if isinstance(result, ChangeRequest)]
    assert (len(asked), sum(isinstance(result, InsufficientFunds) for result in results)) == (8, 4), results
    numbers = ChangeRequest.objects.filter(organization=world.organization).values_list("number", flat=True)
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert chain.verify(world.organization.pk) is None
    assert list(reconciliation.differences()) == []


def test_a_form_sent_twice_at_once_asks_once(world, ask, ana):
    form = form_of(world, "1.25")
    asks = partial(ask, actor=Member.objects.get(pk=ana.pk), api_key=None, form=form)
    first, second = together(asks, asks)
    assert isinstance(first, ChangeRequest)
    assert first == second
    assert Withdrawal.objects.count() == 1


def test_two_forms_at_once_of_one_member_are_two_requests(world, ask, ana):
    actor = Member.objects.get(pk=ana.pk)
    forms = form_of(world, "1.25", "A" * 16), form_of(world, "1.25", "B" * 16)
    first, second = together(*(partial(ask, actor=actor, api_key=None, form=form) for form in forms))
    assert isinstance(first, ChangeRequest)
    assert first != second
    assert {each.asked_as for each in Withdrawal.objects.all()} == {"A" * 16, "B" * 16}


def form_of(world, amount, name="A" * 16) -> SentForm:
    address = Address.objects.get(account=world.account, key="btc-cold")
    params = preview(address, Decimal(amount)).params(Decimal("0.00005"))
    return SentForm(name, idempotency.digest_of(params), None)


@pytest.mark.postgresql
def test_nobody_waits_for_another_call_of_the_key_whose_nonce_is_being_taken(world, ask, threads):
    """The history is held by then: all of the Organization would wait with it, for a bot that calls without end."""
    bot = world.bot("treasury-bot")
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(nonce_window=1000)
    lifecycle.touch(bot.service_user)
    credential = lifecycle.find(bot.public)
    assert credential is not None
    taken = Stop()

    def call_and_stand():
        with transaction.atomic():
            lifecycle.spend(credential, nonce=10**18, source="192.0.2.7", cost=1.0, now=timezone.now())
            taken()

    calling = threads.begin(call_and_stand)
    assert taken.reached.wait(LONG_SECONDS)
    try:
        assert threads.begin(ask).result(LONG_SECONDS).state == State.PENDING
    finally:
        taken.go.set()
        calling.result(LONG_SECONDS)
