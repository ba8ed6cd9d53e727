"""DESIGN V2, the table of retries and outcomes: what a bot hears, and how often the exchange was asked.

Each sort of call meets each sort of fault once, on a real way to a real exchange.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from portal.venues.kraken.models import Credential
from portal.venues.kraken.relay import line, looking, sending
from tests.api.calls import Envelope, Wire
from tests.gateway.proxy import faults
from tests.gateway.proxy.faults import Fault
from tests.gateway.proxy.server import Proxy
from tests.gateway.relay.fault_cases import (
    DEADLINE,
    DONE_AND_LOST,
    NONCE,
    NOT_DONE_AND_LOST,
    OF_THE_CREDENTIAL,
    OVERLOADED,
    PASSED,
    overloaded,
    throttled,
)
from tests.gateway.upstream.exchange import Customer

LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100", "volume": "0.01"}
TIMEOUT = ["EService:Timeout"]
UNAVAILABLE = ["EService:Unavailable"]


@pytest.fixture(autouse=True)
def _no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in less time: no pauses to speak of, and one try ends before what is slow."""
    monkeypatch.setattr(line, "SECONDS", 4.0)
    monkeypatch.setattr(line, "TRY_SECONDS", 0.7)
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.5)
    monkeypatch.setattr(looking, "PAUSES", (0.0, 0.05))
    monkeypatch.setattr(looking, "QUERY_PAUSES", (0.01, 0.01, 0.1))


@dataclass
class Sort:
    """One sort of call: how it is made for the how-manieth time, and how often the exchange has done it by now."""

    method: str
    call: Callable[[int], Envelope]
    done: Callable[[], int]


@dataclass
class Outcome:
    """What came of one call: what the bot was told, how often it left the portal, and how often it was done."""

    told: Envelope
    sent: int
    done: int


@pytest.fixture
def meet(proxy: Proxy) -> Callable[[Sort, Fault], Outcome]:
    numbers = count(1)

    def met(sort: Sort, fault: Fault, times: int | None = 1) -> Outcome:
        before = sort.done()
        proxy.forget()
        proxy.on(sort.method, fault, times=times)
        told = sort.call(next(numbers))
        return Outcome(told, len(proxy.requests(sort.method)), sort.done() - before)

    return met


def lost(executed: bool) -> Iterator[tuple[str, Fault]]:
    yield from (DONE_AND_LOST if executed else NOT_DONE_AND_LOST).items()


def overloads(executed: bool) -> Iterator[tuple[str, Fault]]:
    yield from ((string, overloaded(string, executed=executed)) for string in OVERLOADED)


def ids(customer: Customer) -> set[str]:
    return set(customer.result("everything", "OpenOrders")["open"])


@pytest.fixture
def query(bot: Wire) -> Sort:
    return Sort("Balance", lambda _: bot.ask("Balance"), lambda: 0)


@pytest.fixture
def order(bot: Wire, customer: Customer) -> Sort:
    return Sort("AddOrder", lambda _: bot.ask("AddOrder", **LIMIT), lambda: len(ids(customer)))


@pytest.fixture(params=["userref", "cl_ord_id"])
def named_order(request: pytest.FixtureRequest, bot: Wire, customer: Customer) -> Sort:
    def call(number: int) -> Envelope:
        return bot.ask("AddOrder", **LIMIT, **{request.param: number})

    return Sort("AddOrder", call, lambda: len(ids(customer)))


@pytest.fixture
def cancel(bot: Wire, customer: Customer) -> Sort:
    """Of an order that stands since a moment."""
    ended = {"number": 0}

    def call(number: int) -> Envelope:
        (txid,) = customer.result("everything", "AddOrder", **LIMIT)["txid"]
        told = bot.ask("CancelOrder", txid=txid)
        ended["number"] += txid not in ids(customer)
        return told

    return Sort("CancelOrder", call, lambda: ended["number"])


@pytest.fixture
def export(bot: Wire, customer: Customer) -> Sort:
    def call(number: int) -> Envelope:
        told = bot.ask("AddExport", report="trades", description=f"number {number}")
        if told["error"] == []:
            (row,) = (row for row in bot.result("ExportStatus", report="trades"))
            assert (row["id"], row["descr"]) == (told["result"]["id"], f"number {number}")
            bot.ask("RemoveExport", id=row["id"], type="cancel" if row["status"] == "Queued" else "delete")
        return told

    return Sort("AddExport", call, lambda: 0)


def test_a_query_is_repeated(query, meet):
    for executed in (True, False):
        for name, fault in (*lost(executed), *overloads(executed)):
            outcome = meet(query, fault)
            assert (outcome.told["error"], "XXBT" in outcome.told.get("result", {}), outcome.sent) == ([], True, 2), (
                name
            )
    assert (meet(query, faults.wrong_nonce).told["error"], meet(query, faults.wrong_nonce).sent) == ([], 2)


def test_a_query_is_repeated_no_longer_than_its_caller_waits(query, meet):
    outcome = meet(query, faults.cut_before, None)
    assert (outcome.told, outcome.sent > 3) == ({"error": UNAVAILABLE}, True)
    outcome = meet(query, faults.error("EService:Busy"), None)
    assert (outcome.told, outcome.sent > 3) == ({"error": ["EService:Busy"]}, True)
    outcome = meet(query, faults.wrong_nonce, None)
    assert (outcome.told, outcome.sent) == ({"error": [NONCE]}, 2)


def test_a_query_waits_as_long_as_the_exchange_wants_it_to_if_there_is_time(query, meet):
    outcome = meet(query, throttled(1.5))
    assert (outcome.told["error"], outcome.sent) == ([], 2)
    outcome = meet(query, throttled(60))
    assert (outcome.told["error"][0][:19], outcome.sent) == ("EService: Throttled", 1)


def test_a_cancellation_is_repeated_and_what_is_gone_by_then_was_cancelled(cancel, meet):
    for executed in (True, False):
        for name, fault in (*lost(executed), *overloads(executed)):
            outcome = meet(cancel, fault)
            assert (outcome.told, outcome.sent, outcome.done) == ({"error": [], "result": {"count": 1}}, 2, 1), name
    outcome = meet(cancel, faults.wrong_nonce)
    assert (outcome.told["error"], outcome.sent, outcome.done) == ([], 2, 1)
    outcome = meet(cancel, faults.wrong_nonce, None)
    assert (outcome.told["error"], outcome.sent, outcome.done) == ([NONCE], 2, 0)
    outcome = meet(cancel, faults.answer_lost, None)
    assert (outcome.told, outcome.sent > 2, outcome.done) == ({"error": TIMEOUT}, True, 1)


def test_an_order_with_a_name_is_looked_for_and_never_sent_twice(named_order, meet, customer):
    for name, fault in (*lost(executed=True), *overloads(executed=True)):
        before = ids(customer)
        outcome = meet(named_order, fault)
        assert (outcome.told["error"], outcome.sent, outcome.done) == ([], 1, 1), (name, outcome)
        result = outcome.told["result"]
        assert set(result["txid"]) == ids(customer) - before
        assert result["descr"]["order"] == "buy 0.01000000 XBTUSD @ limit 100.0"
    for name, fault in (*lost(executed=False), *overloads(executed=False)):
        outcome = meet(named_order, fault)
        assert (outcome.told, outcome.sent, outcome.done) == ({"error": TIMEOUT}, 1, 0), (name, outcome)
    outcome = meet(named_order, faults.wrong_nonce)
    assert (outcome.told, outcome.sent, outcome.done) == ({"error": [NONCE]}, 1, 0)
    for executed in (True, False):
        outcome = meet(named_order, faults.error(DEADLINE, executed=executed))
        assert (outcome.told["error"], outcome.sent) == ([] if executed else [DEADLINE], 1)


def test_an_order_without_a_name_is_never_sent_twice(order, meet):
    for executed in (True, False):
        for name, fault in lost(executed):
            outcome = meet(order, fault)
            assert (outcome.told, outcome.sent, outcome.done) == ({"error": TIMEOUT}, 1, int(executed)), (name, outcome)
        for name, fault in overloads(executed):
            outcome = meet(order, fault)
            assert (outcome.told, outcome.sent, outcome.done) == ({"error": [name]}, 1, int(executed)), (name, outcome)
    outcome = meet(order, faults.wrong_nonce)
    assert (outcome.told, outcome.sent, outcome.done) == ({"error": [NONCE]}, 1, 0)


def test_an_order_that_is_done_after_we_hung_up_was_not_sent_twice(named_order, order, meet, customer):
    """Whoever asks later sees it: the bot was told that nobody knows."""
    for sort in (named_order, order):
        held = faults.HeldBack()
        outcome = meet(sort, held)
        assert (outcome.told, outcome.sent) == ({"error": TIMEOUT}, 1)
        before = len(ids(customer))
        held.let_go()
        assert len(ids(customer)) == before + 1


def test_an_order_of_the_same_number_before_it_is_not_taken_for_it(bot, customer, proxy, monkeypatch):
    """Two orders alike within the seconds that clocks may differ by: nobody can tell which is which."""
    bot.result("AddOrder", **LIMIT, userref=9)
    proxy.on("AddOrder", faults.answer_lost, times=1)
    assert bot.ask("AddOrder", **LIMIT, userref=9) == {"error": TIMEOUT}
    monkeypatch.setattr(looking, "NUMBER_SECONDS", 0.0)
    proxy.on("AddOrder", faults.answer_lost, times=1)
    (txid,) = bot.result("AddOrder", **LIMIT, userref=9)["txid"]
    assert txid in ids(customer)
    proxy.on("AddOrder", faults.cut_before, times=1)
    assert bot.ask("AddOrder", **LIMIT, userref=9) == {"error": TIMEOUT}


def test_an_order_that_was_filled_at_once_is_found_among_the_closed_ones(bot, customer, proxy):
    proxy.on("AddOrder", faults.answer_lost)
    proxy.on("ClosedOrders", faults.answer_lost, times=1)
    proxy.on("OpenOrders", faults.error("EService:Unavailable"), times=1)
    market = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
    (txid,) = bot.result("AddOrder", **market, cl_ord_id="at-once")["txid"]
    assert list(customer.result("everything", "ClosedOrders")["closed"]) == [txid]


def test_an_order_that_is_only_validated_is_a_query(bot, proxy, customer):
    proxy.on("AddOrder", faults.answer_lost, times=1)
    assert "txid" not in bot.result("AddOrder", **LIMIT, validate="true")
    assert (len(proxy.requests("AddOrder")), ids(customer)) == (2, set())


def test_an_export_is_looked_for_in_the_list_first(export, meet):
    for name, fault in (*lost(executed=True), *overloads(executed=True)):
        assert (meet(export, fault).sent, meet(export, faults.none).told["error"]) == (1, []), name
    for name, fault in (*lost(executed=False), *overloads(executed=False)):
        outcome = meet(export, fault)
        assert (outcome.told["error"], outcome.sent) == ([], 2), name
    assert meet(export, faults.wrong_nonce).sent == 2


def test_a_deposit_address_is_looked_for_in_the_list_first(bot, customer, proxy):
    asked = {"asset": "XBT", "method": "Bitcoin"}

    def addresses() -> int:
        return len(customer.result("everything", "DepositAddresses", **asked))

    before = addresses()
    proxy.on("DepositAddresses", faults.answer_lost, times=1)
    assert bot.result("DepositAddresses", **asked, new="true")[0]["new"] is True
    sent = [request.fields.get("new") for request in proxy.requests("DepositAddresses")]
    assert (sent, addresses()) == (["true", None], before + 1)
    proxy.forget()
    old: dict[str, Any] = {"error": [], "result": [{"address": "a", "expiretm": "0"}]}
    proxy.on("DepositAddresses", faults.cut_before, nth=1)
    proxy.on("DepositAddresses", faults.shape(old), nth=2)
    assert bot.result("DepositAddresses", **asked, new="true")[0]["new"] is True
    assert [request.fields.get("new") for request in proxy.requests("DepositAddresses")] == ["true", None, "true"]


def test_a_move_to_earn_is_asked_for_by_its_status(bot, customer, proxy):
    strategies = customer.result("everything", "Earn/Strategies")["items"]
    named = {row["asset"]: row["id"] for row in strategies}
    fields = {"strategy_id": named["XETH"], "amount": "1"}
    for fault, told in (
        (faults.answer_lost, {"error": [], "result": True}), (faults.error("EService:Busy", executed=True), None),
    ):  # fmt: skip
        proxy.forget()
        proxy.on("Earn/Allocate", fault)
        answer = bot.ask("Earn/Allocate", **fields)
        assert answer == (told or {"error": [], "result": True})
        assert (len(proxy.requests("Earn/Allocate")), len(proxy.requests("Earn/AllocateStatus"))) == (1, 1)
    proxy.forget()
    other = {**fields, "strategy_id": next(each for asset, each in named.items() if asset != "XETH")}
    proxy.on("Earn/Allocate", faults.cut_before)
    assert bot.ask("Earn/Allocate", **other) == {"error": TIMEOUT}
    proxy.forget()
    proxy.on("Earn/Allocate", faults.answer_lost)
    failed = "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"
    proxy.on("Earn/AllocateStatus", faults.error(failed))
    assert bot.ask("Earn/Allocate", **other) == {"error": [failed]}
    proxy.forget()
    proxy.on("Earn/Deallocate", faults.wrong_nonce, times=1)
    bot.ask("Earn/Deallocate", **other)
    sent = [request.method for request in proxy.requests()]
    assert sent == ["Earn/Deallocate", "Earn/DeallocateStatus", "Earn/Deallocate"]


@pytest.mark.parametrize("method", ["Balance", "CancelAll", "AddOrder", "Earn/Allocate", "AddExport"])
def test_what_the_exchange_refuses_is_said_once_and_passed_on(bot, proxy, method):
    for string in PASSED:
        proxy.forget()
        proxy.on(method, faults.error(string))
        assert bot.ask(method, **LIMIT, report="trades", strategy_id="ES") == {"error": [string]}
        assert [request.method for request in proxy.requests()] == [method], string


@pytest.mark.parametrize("string", OF_THE_CREDENTIAL)
def test_a_credential_that_is_refused_stops_every_call(bot, real, proxy, string):
    proxy.on("Balance", faults.error(string))
    assert bot.ask("Balance") == {"error": UNAVAILABLE}
    assert bot.ask("Balance") == {"error": UNAVAILABLE}
    assert bot.ask("AddOrder", **LIMIT) == {"error": UNAVAILABLE}
    assert len(proxy.requests()) == 1
    assert Credential.objects.get(account=real, stopped_at__isnull=False).stopped_because == string


def test_while_nobody_listens_there_nothing_is_sent_and_nothing_is_unknown(bot, proxy, customer):
    bot.result("Balance")
    with proxy.away():
        assert bot.ask("Balance") == {"error": UNAVAILABLE}
        assert bot.ask("AddOrder", **LIMIT, userref=1) == {"error": UNAVAILABLE}
        assert bot.ask("AddOrder", **LIMIT) == {"error": UNAVAILABLE}
        assert bot.ask("CancelAll") == {"error": UNAVAILABLE}
    assert bot.result("CancelAll") == {"count": 0}


def test_an_answer_that_comes_compressed_is_an_answer(bot, proxy):
    for method in ("Balance", "OpenOrders"):
        proxy.on(method, faults.gzipped)
        assert bot.ask(method)["error"] == []
        assert len(proxy.requests(method)) == 1
