"""What keeps its order and what overtakes, and how many threads an exchange that does not answer may hold."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from portal.core.errors import Conflict, Unavailable
from portal.venues.kraken.models import Credential, Purpose
from portal.venues.kraken.relay import public_memory
from portal.venues.kraken.upstream import room
from portal.venues.kraken.venue import KrakenVenue
from portal.venues.kraken.withdrawals import methods, quotes
from portal.venues.relaying import RelayedCall
from portal.venues.types import Asset, Destination, WithdrawalMethod, WithdrawalQuery
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.withdrawals.rows import accepted as sent

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 10
TO = Destination("btc-cold", "bc1qcold", "Bitcoin", "Bitcoin", "")
METHOD = WithdrawalMethod(Asset("XXBT", "XBT", "BTC", 8, 8), "Bitcoin", "Bitcoin", Decimal(0), Decimal(0))


class Slow:
    """The exchange of these tests: each call waits inside until the test lets it go."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.most = 0
        self.changed = threading.Condition()
        self.is_open = threading.Event()

    def __call__(self, handler) -> None:
        with self.changed:
            self.inside.append(handler.path.rpartition("/")[2])
            self.most = max(self.most, len(self.inside))
            self.changed.notify_all()
        self.is_open.wait(SOON)
        with self.changed:
            self.inside.remove(handler.path.rpartition("/")[2])
        answering(b'{"error":[],"result":{}}')(handler)

    def has(self, *methods: str) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: sorted(self.inside) == sorted(methods), SOON)


@pytest.fixture
def slow(exchange) -> Iterator[Slow]:
    exchange.says = held = Slow()
    yield held
    held.is_open.set()


@pytest.fixture
def call(connected) -> Iterator[Callable[[str], "Future[bytes]"]]:
    """Send one on from a thread of its own."""
    with ThreadPoolExecutor(12) as threads:

        def one(method: str) -> bytes:
            try:
                return KrakenVenue().relay(RelayedCall(connected.pk, 7, method, {}, frozenset())).body
            finally:
                connection.close()

        yield lambda method: threads.submit(one, method)


def with_window() -> None:
    Credential.objects.filter(purpose=Purpose.REST).update(nonce_window=10**10)


def test_orders_go_one_after_the_other_and_queries_overtake_them(call, slow):
    with_window()
    orders = [call("AddOrder")]
    assert slow.has("AddOrder")
    orders += [call("AddOrder"), call("CancelAll")]
    others = [call("OpenOrders"), call("OpenOrders")]
    assert slow.has("AddOrder", "OpenOrders", "OpenOrders")
    slow.is_open.set()
    assert {each.result() for each in orders + others} == {b'{"error":[],"result":{}}'}
    assert slow.most == 3


def test_without_a_window_every_call_waits_for_the_one_before(call, slow, exchange):
    calls = [call(method) for method in ("AddOrder", "OpenOrders", "Ledgers", "TradeVolume")]
    with slow.changed:
        assert slow.changed.wait_for(lambda: slow.inside, SOON)
    slow.is_open.set()
    assert [each.result() for each in calls] == [b'{"error":[],"result":{}}'] * 4
    assert slow.most == 1
    assert exchange.nonces() == sorted(exchange.nonces())


def test_an_exchange_that_does_not_answer_leaves_threads_for_others(call, slow, settings, monkeypatch):
    """Half of the threads for an Account whose exchange is slow, three quarters for all that are sent on."""
    settings.THREADS = 8
    with_window()
    monkeypatch.setattr(room, "SLOW_SECONDS", 0.0)
    first = [call("OpenOrders") for _ in range(4)]
    assert slow.has(*["OpenOrders"] * 4)
    with pytest.raises(Conflict, match="Too many calls wait"):
        call("OpenOrders").result()
    monkeypatch.setattr(room, "SLOW_SECONDS", 60.0)
    monkeypatch.setattr(room, "ROOM_SECONDS", 0.05)
    first += [call("OpenOrders") for _ in range(2)]
    assert slow.has(*["OpenOrders"] * 6)
    with pytest.raises(Conflict, match="Too many calls wait"):
        call("OpenOrders").result()
    monkeypatch.setattr(room, "ROOM_SECONDS", SOON)
    waits = call("OpenOrders")
    slow.is_open.set()
    assert {each.result() for each in [*first, waits]} == {b'{"error":[],"result":{}}'}
    assert room.room._inside == {}


@pytest.mark.parametrize("asked", ["WithdrawInfo", "WithdrawStatus", "WithdrawCancel", "WithdrawMethods"])
def test_what_is_asked_about_withdrawals_leaves_threads_for_others_too(connected, slow, settings, monkeypatch, asked):
    """They are answered here by asking the exchange, one after the other; who waits holds a thread as well."""
    settings.THREADS = 2
    monkeypatch.setattr(room, "SLOW_SECONDS", 0.0)
    row = sent(connected)
    calls = {
        "WithdrawInfo": lambda: quotes.quote(connected.pk, METHOD, TO, 10),
        "WithdrawStatus": lambda: KrakenVenue().withdrawals(connected.pk, WithdrawalQuery()),
        "WithdrawCancel": lambda: KrakenVenue().cancel_withdrawal(row.reference),
        "WithdrawMethods": lambda: methods.refresh(connected.pk),
    }

    def one():
        try:
            calls[asked]()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(one)
        assert slow.has(asked)
        with pytest.raises(Unavailable, match="Too many calls wait"):
            threads.submit(one).result()
        slow.is_open.set()
        first.exception(SOON)
    assert room.room._inside == {}


def test_public_calls_leave_threads_for_others_too(exchange, slow, settings, monkeypatch):
    settings.EXCHANGES, settings.PUBLIC_EXCHANGE, settings.THREADS = [f"Test={exchange.url}"], "Test", 2
    monkeypatch.setattr(room, "SLOW_SECONDS", 0.0)
    public_memory.forget_all()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(public_memory.asked, "Ticker", "")
        assert slow.has("Ticker")
        for query in ("", "pair=XBTUSD"):
            with pytest.raises(Conflict, match="Too many calls wait"):
                threads.submit(public_memory.asked, "Ticker", query).result()
        slow.is_open.set()
        assert first.result() is not None
    assert public_memory.asked("Ticker", "") is not None
    public_memory.forget_all()
