"""Two at the same withdrawal at the same time, each with a connection of its own: one of them does it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection

from policies.changes import cancel_all, decide, execute, propose
from policies.models import Policy, State
from portal.core.errors import Conflict, DomainError, Refused
from portal.treasury.operations import AddAddress, add_address
from portal.treasury.withdrawals import cancel_withdrawal
from portal.venues.kraken import calling
from portal.venues.kraken.models import Purpose, Step, Withdrawal
from portal.venues.kraken.settle.params import Outcome, Settle
from portal.venues.kraken.settle.settling import NOT_UNKNOWN, settle_withdrawal
from portal.venues.kraken.withdrawals import intents, outcomes, sending, tending
from tests.factories import people
from tests.factories.world import BTC_COLD
from tests.gateway.connected import credential, real_account
from tests.gateway.proxy import faults
from tests.gateway.proxy.server import Proxy
from tests.running import soon

pytestmark = pytest.mark.django_db(transaction=True)
LONG_SECONDS = 30


def apart(*acts):
    """All of them at once, each on a connection of its own; what each gave, or the DomainError that it raised."""
    barrier = Barrier(len(acts))

    def run(act):
        try:
            barrier.wait(LONG_SECONDS)
            return act()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result(LONG_SECONDS * 2) for done in [pool.submit(run, act) for act in acts]]


def tend_apart(real) -> None:
    """On a connection of its own."""
    try:
        real.tend()
    finally:
        connection.close()


def tend_all() -> bool:
    """The round of `manage.py work`, on connections of its own."""
    try:
        return tending.tend()
    finally:
        connection.close()


def test_of_two_senders_one_sends(real):
    changes = [real.agreed("1"), real.agreed("2")]
    apart(real.tend, real.tend, real.tend)
    real.tend()
    assert [real.step(change) for change in changes] == [Step.ACCEPTED] * 2
    assert len(real.proxy.requests("Withdraw")) == len(real.there()) == 2
    assert [real.state(change) for change in changes] == [State.EXECUTED] * 2


def test_its_nonce_and_that_it_is_sent_are_committed_before_it_leaves(real):
    change = real.agreed()
    seen = []

    def note(turn):
        row = real.row(change)
        seen.append((row.step, row.nonce == turn.request.nonce, row.attempts, row.sent_at is not None))
        connection.close()
        faults.none(turn)

    real.proxy.on("Withdraw", note)
    real.tend()
    assert seen == [(Step.SENDING, True, 1, True)]


def test_while_one_sends_nobody_takes_it_for_lost(real):
    """The lane says that its sender is alive."""
    change = real.agreed()
    held = faults.HeldBack()
    real.proxy.on("Withdraw", held, times=1)
    with ThreadPoolExecutor(1) as pool:
        sending_it = pool.submit(tend_apart, real)
        assert held.arrived.wait(LONG_SECONDS)
        real.tend()
        assert real.step(change) == Step.SENDING
        held.let_go()
        sending_it.result(LONG_SECONDS)
    assert (real.step(change), len(real.there())) == (Step.ACCEPTED, 1)


class Killed(BaseException):
    """What a process that is killed leaves no time to handle."""


@pytest.mark.parametrize("moment", ["before it leaves", "after it has left"])
def test_whoever_comes_after_a_sender_that_died_looks_and_never_sends(real, monkeypatch, moment, later):
    """CR-13: killed between the commit and the call, and between the call and its answer."""
    change = real.agreed()
    ask = calling.ask_in_lane

    def dies(credential, method, *args, **given):
        if method == "Withdraw":
            if moment == "after it has left":
                ask(credential, method, *args, **given)
            raise Killed
        return ask(credential, method, *args, **given)

    with monkeypatch.context() as patched:
        patched.setattr(calling, "ask_in_lane", dies)
        with pytest.raises(Killed):
            real.tend()
    assert real.step(change) == Step.SENDING
    for seconds in (0, 61, 121, 601):
        with later(seconds):
            real.tend()
    is_there = moment == "after it has left"
    assert real.step(change) == (Step.ACCEPTED if is_there else Step.UNKNOWN)
    assert len(real.there()) == len(real.proxy.requests("Withdraw")) == int(is_there)
    assert real.row(change).attempts == 1


def test_killed_between_the_answer_and_the_request_it_is_executed_later(real, monkeypatch):
    change = real.agreed()
    with monkeypatch.context() as patched:
        patched.setattr(tending, "settle", lambda row: None)
        real.tend()
    assert (real.step(change), real.state(change)) == (Step.ACCEPTED, State.APPROVED)
    assert execute(change.reference).state == State.EXECUTED


def test_killed_in_the_last_approval_it_is_as_if_nobody_had_approved(real, monkeypatch):
    change = real.ask()
    ben, cleo = real.world.members["ben"], real.world.members["cleo"]
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=people.proof(change))
    intend = intents.intend

    def dies(reference):
        intend(reference)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(intents, "intend", dies)
        with pytest.raises(Killed):
            decide(change.reference, member=cleo, approved=True, digest=change.digest, proof=people.proof(change))
    assert (real.step(change), real.state(change)) == (Step.HELD, State.PENDING)
    real.tend()
    assert real.there() == []


def test_a_brake_and_the_sender_it_is_sent_and_executed_or_given_back(real):
    """R5: what is being sent is left alone; what was not is cancelled."""
    change = real.agreed()
    owner, bot = real.world.members["owner"], real.world.bot("treasury-bot").service_user
    apart(real.tend, lambda: cancel_all(initiator=bot, reason="The bot was stopped.", actor=owner))
    real.tend()
    assert (real.state(change), real.step(change), len(real.there())) in [
        (State.EXECUTED, Step.ACCEPTED, 1),
        (State.CANCELLED, Step.RELEASED, 0),
    ]


def test_a_bot_that_cancels_and_the_sender(real):
    change = real.agreed()
    bot, reference = real.world.bot("treasury-bot").service_user, change.withdrawal.reference
    _, is_cancelled = apart(
        real.tend, lambda: cancel_withdrawal(actor=bot, account_id=real.account.pk, reference=reference)
    )
    real.tend()
    row = real.row(change)
    if is_cancelled and row.step != Step.ACCEPTED:
        assert (row.step, real.state(change), real.there()) == (Step.RELEASED, State.FAILED, [])
    else:
        assert (row.step, len(real.there())) == (Step.ACCEPTED, 1)


def test_two_asks_do_not_hold_what_is_there_once(real):
    """12.5 bitcoin: one of them is refused, by the lock of the Account's holds."""
    real.ask("0.1")
    first, second = apart(lambda: real.ask("8"), lambda: real.ask("8"))
    refused = [each for each in (first, second) if isinstance(each, DomainError)]
    assert [error.message for error in refused] == ["The Account has 4.4 BTC free."]
    assert Withdrawal.objects.filter(step=Step.HELD).count() == 2


@pytest.fixture
def lost(real, later):
    """Sent, not listed for ten minutes, and listed from now on."""
    change = real.agreed()
    real.proxy.on("Withdraw", faults.answer_lost, times=1)
    hidden = faults.changed(lambda _: {"withdrawals": [], "next_cursor": None})
    real.proxy.on("WithdrawStatus", hidden, times=4)
    for seconds in (0, 61, 121, 601):
        with later(seconds):
            real.tend()
    assert real.step(change) == Step.UNKNOWN
    return change


@pytest.mark.parametrize("outcome", [Outcome.SEND_AGAIN, Outcome.GIVE_UP])
def test_people_settle_it_while_a_late_look_finds_it_one_of_them_wins(real, lost, outcome):
    params = Settle(real.account.pk, lost.withdrawal.reference, outcome)
    settling = propose(settle_withdrawal, actor=real.world.members["ana"], params=params)
    ben, cleo = real.world.members["ben"], real.world.members["cleo"]
    decide(settling.reference, member=ben, approved=True, digest=settling.digest, proof=people.proof(settling))
    Withdrawal.objects.filter(request=lost.reference).update(look_at=lost.created_at)

    def agree():
        return decide(
            settling.reference, member=cleo, approved=True, digest=settling.digest, proof=people.proof(settling)
        )

    _, agreed = apart(real.tend, agree)
    for _ in range(2):
        real.tend()
    assert len(real.there()) == 1
    if isinstance(agreed, DomainError):
        # Found before cleo's yes was looked at, or while it was carried out.
        assert isinstance(agreed, Conflict) or (type(agreed), agreed.message) == (Refused, NOT_UNKNOWN)
        assert (real.step(lost), real.state(lost)) == (Step.ACCEPTED, State.EXECUTED)
    elif agreed.state == State.EXECUTED and outcome is Outcome.GIVE_UP:
        assert (real.step(lost), real.state(lost)) == (Step.RELEASED, State.FAILED)
    else:
        assert (real.step(lost), real.state(lost)) == (Step.ACCEPTED, State.EXECUTED)


def test_a_late_answer_and_who_has_given_its_sender_up(real):
    """A connection that is lost loses its lane: the second holder gives it up while its answer is on the way."""
    change = real.agreed()
    held, row = faults.HeldBack(executed=True), real.row(change)
    real.proxy.on("Withdraw", held, times=1)
    with ThreadPoolExecutor(1) as pool:
        sending_it = pool.submit(tend_apart, real)
        assert held.arrived.wait(LONG_SECONDS)
        outcomes.lost(row.pk, sending.DIED, nonce=real.row(change).nonce)
        held.let_go()
        sending_it.result(LONG_SECONDS)
    assert (real.step(change), real.row(change).refid) == (Step.ACCEPTED, real.there()[0]["refid"])


def test_nobody_is_called_inside_of_a_transaction(real):
    """Holding and agreeing write, and ask nobody."""
    change = real.ask()
    real.proxy.forget()
    called = Event()
    real.proxy.whenever(lambda request: called.set())
    real.approve(change)
    assert not called.is_set()


def test_an_exchange_that_hangs_holds_up_its_own_account_alone(real, upstream, settings):
    here, hangs = real.agreed("1"), faults.HeldBack()
    other, way = upstream.customer(), Proxy(upstream.url)
    way.start()
    settings.EXCHANGES = [*settings.EXCHANGES, f"Other={way.url}"]
    account = real_account(real.world.organization, exchange="Other", name="Overseas")
    credential(account, Purpose.WITHDRAW, other.keys["withdraw"])
    credential(account, Purpose.REST, other.keys["rest"], permissions=["query-funds", "query-ledger"])
    owner = real.world.members["owner"]
    Policy.objects.filter(organization=account.organization).update(always=False)
    address = AddAddress(account.pk, "btc-cold", "XXBT", "Bitcoin", BTC_COLD, "")
    propose(add_address, actor=owner, params=address)
    there = real.approve(real.ask(actor=real.world.members["ana"], api_key=None, account=account))
    way.on("Withdraw", hangs)
    with ThreadPoolExecutor(1) as pool:
        round_of_all = pool.submit(tend_all)
        assert hangs.arrived.wait(LONG_SECONDS)
        assert soon(lambda: real.step(here), lambda step: step == Step.ACCEPTED)
        assert real.step(there) == Step.SENDING
        hangs.let_go()
        assert round_of_all.result(LONG_SECONDS)
    assert real.step(there) == Step.ACCEPTED
    way.stop()
