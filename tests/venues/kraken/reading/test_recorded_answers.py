"""What the real exchange was recorded to say is what pages show, and what a page does not know is not in its way."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from portal.core.money import from_units
from portal.venues.kraken.models import Snapshot
from portal.venues.kraken.reading import catalogue
from portal.venues.kraken.upstream import envelope
from portal.venues.registry import venue
from portal.venues.types import (
    ClosedQuery,
    DepositQuery,
    DepositStage,
    EarnOperation,
    LedgerQuery,
    OpenQuery,
    OrderKind,
    OrderStatus,
    TradeQuery,
)
from tests.venues.kraken.reading import recorded

pytestmark = recorded.needed
HERE = venue("kraken")


@pytest.fixture
def told(says, account):
    """The exchange says what was recorded under these names."""

    def tell(*names):
        for name in names:
            says.body(recorded.path(name).split("/", 3)[3], recorded.answer(name))
        return account.pk

    return tell


@pytest.mark.parametrize("name", recorded.names())
def test_every_one_of_them_is_an_answer_and_stays_as_it_came(name):
    """Fields that nobody here knows are kept for bots, to the byte."""
    body = recorded.answer(name)
    answer = envelope.read(body, "application/json")
    assert answer.body == body
    assert answer.errors == ()
    assert answer.result is not None
    assert answer.result in body
    assert answer.decoded() == json.loads(body, parse_float=Decimal)["result"]


def test_balances(told):
    rows = HERE.balances(told("GetAvailableBalances"))
    assert [
        (
            row.asset.code,
            from_units(row.units, row.asset.decimals),
            from_units(row.held_by_orders_units, row.asset.decimals),
        )
        for row in rows
    ] == [("BTC", Decimal("1.2435"), Decimal("0.8423")), ("USD", Decimal("25435.21"), Decimal("8249.76"))]


def test_worth(told):
    found = HERE.trade_balance(told("GetTradeBalance"), "USD")
    assert (found.asset.code, found.equivalent, found.free) == ("USD", Decimal("1101.3425"), Decimal("375.1678"))


def test_what_moved(told):
    account_id = told("GetLedgerInfo", "GetLedgersEntry")
    first, second = HERE.ledger(account_id, LedgerQuery()).rows
    # An asset that no catalogue has goes by its own name, in its own digits.
    assert (first.id, first.asset.code, first.asset.decimals) == ("L4UESK-KG3EQ-UFO4T5", "ZGBP", 4)
    assert (first.amount_units, first.fee_units, first.balance_units) == (-245000, 490, 4595679171)
    assert first.at == datetime(2023, 7, 4, 9, 54, 44, 178700, UTC)
    assert (second.asset.code, second.kind, second.reference) == ("USD", "trade", "TBZIP2-F6QOU-TMB6FY")
    assert HERE.ledger_rows(account_id, ["L4UESK-KG3EQ-UFO4T5"]) == (first,)


def test_open_orders(told):
    rows = HERE.open_orders(told("GetOpenOrders"), OpenQuery())
    first = next(row for row in rows if row.id == "OQCLML-BW3P3-BUCMWZ")
    assert (first.kind, first.status, first.pair.id, first.said) == (
        OrderKind.LIMIT, OrderStatus.OPEN, "XXBTZUSD", "buy 1.25000000 XBTUSD @ limit 30010.0",
    )  # fmt: skip
    assert (first.price, first.volume, first.filled_volume) == (Decimal("30010.0"), Decimal("1.25"), Decimal("0.375"))
    assert first.trades == ("TCCCTY-WE2O6-P3NB37",)
    assert [row.opened_at for row in rows] == sorted((row.opened_at for row in rows), reverse=True)


def test_closed_orders(told):
    rows = HERE.closed_orders(told("GetClosedOrders"), ClosedQuery()).rows
    first = next(row for row in rows if row.id == "O37652-RJWRT-IMO74O")
    assert (first.kind, first.status, first.reason) == (OrderKind.OTHER, OrderStatus.CANCELED, "User requested")
    assert first.said == "buy 0.00100000 XBTGBP @ limit 23667.0"
    assert (first.pair.wsname, first.closed_at) == ("XBTGBP", datetime(2023, 6, 30, 18, 10, 10, 48200, UTC))


@pytest.mark.parametrize("name", ["GetOrders", "GetOrders2"])
def test_orders_by_their_ids(told, name):
    rows = HERE.orders(told(name), ["OICRC3-KX7OB-QB2B2S"], OpenQuery())
    assert {row.id for row in rows} == set(json.loads(recorded.answer(name))["result"])
    if name == "GetOrders2":
        # How far it trails is no price.
        assert rows[0].said == "sell 49.96000 SUIUSD @ trailing stop +1.0000%"
        assert rows[0].price == 0


def test_trades(told):
    account_id = told("GetUserTrades", "GetUserTradeDetails")
    first, second = HERE.trades(account_id, TradeQuery()).rows
    assert (first.id, first.pair.id, first.price, first.volume, first.cost) == (
        "THVRQM-33VKH-UCI7BS", "XXBTZUSD", Decimal(30010), Decimal("0.02"), Decimal("600.20"),
    )  # fmt: skip
    assert first.is_maker
    assert first.at > second.at
    assert len(HERE.trade_rows(account_id, ["THVRQM-33VKH-UCI7BS", "TTEUX3-HDAAA-RC2RUO"], TradeQuery())) == 2


def test_deposits(told):
    first, second = HERE.deposits(told("GetDepositStatus"), DepositQuery()).rows
    assert (first.asset.code, first.amount_units, first.stage, first.said) == (
        "BTC", 7812500000, DepositStage.SUCCESS, "being sent back",
    )  # fmt: skip
    assert (second.asset.code, second.stage, second.said) == ("ETH", DepositStage.SETTLED, "held by the exchange")
    assert second.amount_units == 1383862742


def test_deposit_addresses(told):
    found = HERE.deposit_addresses(told("GetDepositAddresses"), "XBT", "Bitcoin", new=False)
    assert [(each.memo, each.is_new) for each in found] == [
        ("", True), ("", True), ("", False), ("1361101127", True), ("4150096490", False),
    ]  # fmt: skip


def test_what_is_lent(told):
    account_id = told("GetAllocations", "GetStrategies", "GetAllocationStatus", "GetDeallocationStatus")
    (found,) = HERE.allocations(account_id)
    assert (found.strategy.id, found.strategy.asset.code) == ("ESDQCOL-WTZEU-NU55QF", "ETH")
    assert (found.total_units, found.rewarded_units) == (210000000, 0)
    assert [part.units for part in found.bonding] == [10000000, 200000000]
    assert found.bonding[0].expires_at == datetime(2023, 8, 19, 2, 34, 5, 807000, UTC)
    for operation in EarnOperation:
        assert not HERE.earn_pending(account_id, "ESDQCOL-WTZEU-NU55QF", operation)


def test_the_catalogue(told):
    told("GetAssets", "GetSymbols")
    assert catalogue.refresh_all("Test")
    assert HERE.asset("btc").id == "XXBT"
    pair = HERE.pair("ETH/BTC")
    assert (pair.id, pair.price_decimals, pair.volume_decimals) == ("XETHXXBT", 5, 8)
    fees = HERE.schedule("XETHXXBT")
    assert (fees.taker[0].percent, fees.maker[0].percent) == (Decimal("0.26"), Decimal("0.16"))
    # What it does not know of its pairs is kept as well.
    assert "leverage_buy" in Snapshot.objects.get(part="pairs").answer
