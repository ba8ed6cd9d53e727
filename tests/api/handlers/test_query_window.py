"""DESIGN K4: the start and end of a key bound every read that has a time."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from portal.api import methods
from portal.venues.paper import funding
from portal.venues.paper.exports.models import Export
from tests.api.calls import Wire, next_nonce

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOURS = [FIRST + timedelta(hours=hour) for hour in range(3)]
LATER = FIRST + timedelta(hours=5)
FAR = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "10000"}

Read = Callable[[Wire, dict[str, list[str]]], set[str]]
# How each read that has a time names what it shows: everything that was made, by hour, is asked for.
READS: dict[str, Read] = {
    "Ledgers": lambda wire, made: set(wire.result("Ledgers")["ledger"]),
    "QueryLedgers": lambda wire, made: one_by_one(wire, "QueryLedgers", "id", made["entry"]),
    "OpenOrders": lambda wire, made: set(wire.result("OpenOrders")["open"]),
    "ClosedOrders": lambda wire, made: set(wire.result("ClosedOrders")["closed"]),
    "QueryOrders": lambda wire, made: set(wire.result("QueryOrders", txid=",".join(made["open"] + made["closed"]))),
    "TradesHistory": lambda wire, made: set(wire.result("TradesHistory")["trades"]),
    "QueryTrades": lambda wire, made: set(wire.result("QueryTrades", txid=",".join(made["trade"]))),
    "DepositStatus": lambda wire, made: {row["refid"] for row in wire.result("DepositStatus")},
    "WithdrawStatus": lambda wire, made: {row["refid"] for row in wire.result("WithdrawStatus")},
    "AddExport": lambda wire, made: exported(wire),
}
# Kinds of things that each of them can show.
SHOWS = {
    "Ledgers": ("entry",),
    "QueryLedgers": ("entry",),
    "OpenOrders": ("open",),
    "ClosedOrders": ("closed",),
    "QueryOrders": ("open", "closed"),
    "TradesHistory": ("trade",),
    "QueryTrades": ("trade",),
    "DepositStatus": ("deposit",),
    "WithdrawStatus": ("withdrawal",),
    "AddExport": ("entry",),
}
# Bounded in test_exports: an export is seen, fetched and removed through the window that it was made in.
OF_EXPORTS = {"ExportStatus", "RetrieveExport", "RemoveExport"}
# What is so now, or the same for everybody; and what acts instead of reading.
WITHOUT_A_TIME = {
    "GetApiKeyInfo", "Balance", "BalanceEx", "TradeBalance", "TradeVolume", "OpenPositions", "AddOrder", "CancelOrder",
    "CancelAll", "DepositMethods", "DepositAddresses", "WithdrawMethods", "WithdrawAddresses", "WithdrawInfo",
    "Withdraw", "WithdrawCancel", "Earn/Strategies", "Earn/Allocations", "Earn/Allocate", "Earn/Deallocate",
    "Earn/AllocateStatus", "Earn/DeallocateStatus", "GetWebSocketsToken",
}  # fmt: skip


def test_every_method_says_whether_it_has_a_time():
    assert READS.keys() | OF_EXPORTS | WITHOUT_A_TIME == methods.PRIVATE.keys()
    assert READS.keys() == SHOWS.keys()


def one_by_one(wire: Wire, method: str, name: str, ids: list[str]) -> set[str]:
    return {each for each in ids if wire.ask(method, **{name: each})["error"] == []}


def exported(wire: Wire) -> set[str]:
    """The ids in an export of the ledger."""
    export_id = wire.result("AddExport", report="ledgers", fields="txid")["id"]
    Export.objects.filter(code=export_id).update(created_at=LATER - timedelta(minutes=1))
    nonce = str(next_nonce())
    response = wire.send("RetrieveExport", f"nonce={nonce}&id={export_id}".encode(), nonce=nonce)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return set(archive.read("ledgers.csv").decode().replace('"', "").split()[1:])


@pytest.fixture
def made(settings, treasury, account) -> dict[str, list[str]]:
    """One of each kind at the beginning of each of three hours; its time is exactly that."""
    settings.PAPER_PRICES = "still"
    made: dict[str, list[str]] = {name: [] for name in ("open", "closed", "trade", "entry", "deposit", "withdrawal")}
    for hour, at in enumerate(HOURS):
        with time_machine.travel(at, tick=False):
            made["open"] += treasury.result("AddOrder", **FAR)["txid"]
            (filled,) = treasury.result("AddOrder", pair="XBTUSD", type="sell", ordertype="market", volume="0.01")[
                "txid"
            ]
            made["closed"].append(filled)
            made["trade"].append(next(iter(treasury.result("TradesHistory")["trades"])))
            reference = f"in-{hour}"
            funding.deposit(account.pk, "BTC", Decimal(1), reference=reference)
            rows = treasury.result("Ledgers", asset="XBT", type="deposit")["ledger"]
            made["entry"].append(next(key for key, row in rows.items() if row["refid"] == reference))
            made["deposit"].append(reference)
            made["withdrawal"].append(treasury.result("Withdraw", asset="XBT", key="btc-cold", amount="0.01")["refid"])
    return made


@pytest.mark.parametrize("method", READS)
def test_a_read_shows_what_lies_in_the_window_and_nothing_else(method, made, treasury):
    """K4: start inclusive, end exclusive; single ids and exports included."""
    one = timedelta(microseconds=1)
    with time_machine.travel(LATER, tick=False):
        for start, end, seen in (
            (None, None, {0, 1, 2}),
            (HOURS[1], None, {1, 2}),
            (HOURS[1] + one, None, {2}),
            (None, HOURS[1], {0}),
            (None, HOURS[1] + one, {0, 1}),
            (HOURS[1], HOURS[2], {1}),
        ):
            ServiceUser.objects.filter(pk=treasury.bot.service_user.pk).update(query_start=start, query_end=end)
            lifecycle.touch(treasury.bot.service_user)
            shown = READS[method](treasury, made)
            for kind in SHOWS[method]:
                expected = {made[kind][hour] for hour in seen}
                assert shown & set(made[kind]) == expected, (method, kind, start, end)


def test_bounds_by_id_do_not_look_outside(made, treasury):
    """An id outside of the window is no bound: it answers as one that does not exist."""
    ServiceUser.objects.filter(pk=treasury.bot.service_user.pk).update(query_start=HOURS[1])
    lifecycle.touch(treasury.bot.service_user)
    with time_machine.travel(LATER, tick=False):
        for method, kind in (("Ledgers", "entry"), ("ClosedOrders", "closed"), ("TradesHistory", "trade")):
            unknown = treasury.error(method, start=made[kind][0][::-1])
            assert treasury.error(method, start=made[kind][0]) == unknown == "EGeneral:Invalid arguments"
            assert treasury.ask(method, start=made[kind][1])["error"] == []
