"""What the journal tells of orders and of the ledger: each thing once, in its order, as it was afterwards."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.core.errors import DomainError
from portal.venues.journal import reading
from portal.venues.paper.ledger.models import Posting
from portal.venues.paper.orders import matching
from portal.venues.types import LedgerEvent, LedgerQuery, OrderEvent, OrderStatus, TimeInForce, TradeQuery
from tests.venues.conftest import RECEIVER, START, open_account, pay_in
from tests.venues.journal.following import Follower, events
from tests.venues.ordering import VENUE, now, place
from tests.venues.paper.orders.conftest import FLAT

pytestmark = pytest.mark.usefixtures("adds_up")


@pytest.fixture
def since(trader):
    """Where the journal stood before the test did anything."""
    return reading.place(trader.pk)


def news(account, after):
    """The kinds of what happened after that, in its order."""
    return [
        event.change.value if isinstance(event, OrderEvent) else event.asset.code for event in events(account, after)
    ]


def of_orders(account, after):
    return [event for event in events(account, after) if isinstance(event, OrderEvent)]


def test_an_order_that_rests_is_news_once(trader, since):
    row = place(trader, "buy", "0.01", "50000", userref=3)
    (event,) = events(trader, since)
    assert isinstance(event, OrderEvent)
    assert (event.change.value, event.at, event.order, event.trade) == ("new", START, row, None)


def test_a_market_order_is_new_and_then_trades_level_by_level(trader, since):
    book = VENUE.depth("XBTUSD", 2)
    row = place(trader, "sell", book.bids[0].volume + book.bids[1].volume / 2)

    assert news(trader, since) == ["new", "BTC", "USD", "trade", "BTC", "USD", "trade"]
    new, first, second = of_orders(trader, since)
    assert (new.order.filled_volume, new.order.average_price, new.order.status) == (0, 0, OrderStatus.OPEN)
    assert first.order.average_price == first.trade.price == book.bids[0].price
    assert first.order.status is OrderStatus.OPEN
    assert second.order == row
    trades = VENUE.trades(trader.pk, TradeQuery()).rows
    assert [second.trade, first.trade] == list(trades)


def test_each_leg_of_a_trade_tells_what_the_ledger_tells(trader, since):
    place(trader, "buy", "0.01")
    legs = [event for event in events(trader, since) if isinstance(event, LedgerEvent)]
    rows = VENUE.ledger(trader.pk, LedgerQuery(kind="trade")).rows[::-1]

    assert len(legs) == len(rows) == 2
    for event, row in zip(legs, rows, strict=True):
        assert (event.at, event.ledger_id, event.reference, event.kind, event.subkind, event.asset) == (
            (row.at, row.id, row.reference, row.kind, row.subkind, row.asset)
        )
        amounts = [int(amount.scaleb(row.asset.decimals)) for amount in (event.amount, event.fee, event.balance)]
        assert amounts == [row.amount_units, row.fee_units, row.balance_units]
    assert legs[1].fee > 0


def test_what_finds_too_little_is_canceled_after_its_trades(trader, since):
    pay_in(trader, "500")
    since += 1
    row = place(trader, "sell", "400")
    told = of_orders(trader, since)

    assert {event.change.value for event in told[1:-1]} == {"trade"}
    assert (told[0].change.value, told[-1].change.value, told[-1].order) == ("new", "canceled", row)
    assert told[-1].order.reason == "Insufficient liquidity"
    assert told[-1].order.average_price == told[-2].order.average_price != 0


def test_a_post_only_order_that_would_trade_is_new_and_canceled(trader, since):
    row = place(trader, "buy", "0.01", "70000", is_post_only=True)
    assert news(trader, since) == ["new", "canceled"]
    assert of_orders(trader, since)[-1].order == row


def test_what_is_refused_or_only_validated_is_no_news(trader, since):
    with pytest.raises(DomainError):
        place(trader, "buy", "100", "50000")
    place(trader, "buy", "0.01", "50000", only_validate=True)
    place(trader, "buy", "0.01", only_validate=True)
    assert events(trader, since) == []


def test_a_fill_by_the_clock_is_told_at_the_time_of_the_crossing(trader, since, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(60)
    VENUE.settle_due(10)

    assert news(trader, since) == ["new", "BTC", "USD", "trade"]
    _, traded = of_orders(trader, since)
    assert (traded.at, traded.trade.at) == (START + timedelta(seconds=5),) * 2
    assert (traded.order.trades, traded.order.closed_at) == ((), traded.at)
    assert traded.order.id == row.id
    assert traded.trade.is_maker


def test_an_order_that_is_filled_in_parts_is_told_with_the_average_of_all(trader, since, prices, clock):
    """Where it took several levels at once, rested, and was filled on by one look after the other."""
    pay_in(trader, "90000000", "USD")
    asks = VENUE.depth("XBTUSD", 3).asks
    row = place(trader, "buy", sum(level.volume for level in asks) + 300, asks[2].price)
    assert asks[0].price < row.average_price < asks[2].price
    stands = row
    for second in range(1, 5):
        prices(FLAT, (second, "XBT/USD", "59990"))
        clock(second)
        VENUE.settle_due(10)
        last = of_orders(trader, since)[-1]
        assert (last.change.value, last.at) == ("trade", START + timedelta(seconds=second))
        stands = now(trader, row)
        assert last.order == replace(stands, trades=())
        assert asks[0].price < stands.average_price < asks[2].price
    assert stands.status is OrderStatus.OPEN
    assert len(statements(lambda: VENUE.cancel_all_orders(trader.pk), 'FROM "paper_trade"')) == 1
    canceled = of_orders(trader, since)[-1].order
    assert (canceled.average_price, canceled.filled_volume) == (stands.average_price, stands.filled_volume)


def test_cancels_and_the_end_of_its_time_are_told_with_their_reasons(trader, since, clock):
    first = place(trader, "buy", "0.01", "50000")
    until = START + timedelta(seconds=90)
    place(trader, "buy", "0.01", "50000", time_in_force=TimeInForce.GTD, expires_at=until)
    place(trader, "buy", "0.01", "50000")
    VENUE.cancel_orders(trader.pk, order_id=first.id)
    clock(100)
    VENUE.cancel_all_orders(trader.pk)

    told = of_orders(trader, since)
    assert [event.change.value for event in told] == ["new"] * 3 + ["canceled", "expired", "canceled"]
    assert [event.order.reason for event in told[3:]] == ["User requested", "Order expired", "User requested"]
    assert [event.at for event in told[3:]] == [START, until, START + timedelta(seconds=100)]


def test_a_fill_that_had_to_be_undone_was_never_told(trader, since, prices, clock):
    """Its savepoint is rolled back, and the rest of the operation goes on."""
    place(trader, "sell", "0.01", "70000")
    pay_in(trader, str(Decimal(2**63 - 1).scaleb(-4) - 100000), "USD")
    prices(FLAT, (5, "XBT/USD", "72000"))
    clock(5)
    VENUE.settle_due(10)

    assert news(trader, since) == ["new", "USD", "canceled"]
    canceled = of_orders(trader, since)[-1].order
    assert (canceled.filled_volume, canceled.average_price) == (0, 0)
    Follower(trader).follow()


def test_a_fill_undone_after_it_was_told_is_not_told(trader, since, prices, clock, monkeypatch):
    """Whatever fails there, and however late."""

    fill = matching.fill

    def fill_and_fail(*args, **kwargs):
        fill(*args, **kwargs)
        raise DomainError("It was too much.")

    place(trader, "buy", "0.01", "50000")
    monkeypatch.setattr("portal.venues.paper.orders.matching.fill", fill_and_fail)
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(5)
    VENUE.settle_due(10)

    assert news(trader, since) == ["new", "canceled"]
    assert of_orders(trader, since)[-1].order.filled_volume == 0


def test_withdrawals_are_told_when_they_are_sent_and_deposits_when_they_are_there(trader, since, clock):
    for name in ("sent", "released"):
        VENUE.hold_withdrawal(trader.pk, reference=name, asset="XXBT", amount_units=10**9, destination=RECEIVER)
    VENUE.release_withdrawal("released")
    assert events(trader, since) == []
    VENUE.send_withdrawal("sent")
    VENUE.simulate_deposit(trader.pk, "ETH", Decimal(1))
    clock(60)
    VENUE.settle_due(10)

    sent, arrived = events(trader, since)
    assert (sent.kind, sent.reference, sent.amount - sent.fee) == ("withdrawal", "sent", -Decimal("0.1"))
    assert (sent.balance, sent.fee > 0) == (Decimal("0.9"), True)
    assert (arrived.kind, arrived.amount, arrived.balance, arrived.fee) == ("deposit", 1, 1, 0)


def statements(act, *words):
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured if all(word in query["sql"] for word in words)]


def at_once():
    """On SQLite the number of the head is a statement of its own."""
    return 1 if connection.vendor == "postgresql" else 2


@pytest.mark.parametrize("price", [None, "50000", "60100"], ids=["market", "rests", "crosses"])
def test_placing_an_order_writes_the_journal_at_once_and_reads_no_trades(trader, price):
    place(trader, "buy", "0.01")

    def act():
        place(trader, "buy", "0.02", price)

    made = statements(act)
    assert sum("journal_" in sql for sql in made) == at_once()
    assert [sql for sql in made if "SELECT" in sql and 'paper_trade"' in sql and "INSERT" not in sql] == []


def test_one_operation_writes_the_journal_once_however_much_comes_due(trader, prices, clock):
    for price in ("50000", "51000", "52000"):
        place(trader, "buy", "0.01", price)
    VENUE.simulate_deposit(trader.pk, "ETH", Decimal(1))
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(60)

    assert len(statements(lambda: place(trader, "buy", "0.01"), "journal_")) == at_once()
    place(trader, "buy", "0.01", "40000")
    place(trader, "buy", "0.01", "41000")
    assert len(statements(lambda: VENUE.cancel_all_orders(trader.pk), "journal_")) == at_once()
    VENUE.allocate(trader.pk, VENUE.strategies("BTC")[0].id, Decimal("0.1"))
    clock(10**6)
    assert len(statements(lambda: VENUE.catch_up([trader.pk]), "INSERT", "journal_")) == at_once()


def test_every_leg_of_every_account_is_told_to_that_account_alone(trader):
    other = open_account()
    pay_in(other, "3", "SOL")
    place(trader, "buy", "0.01")
    for account in (trader, other):
        ids = [event.ledger_id for event in events(account) if isinstance(event, LedgerEvent)]
        assert ids == list(Posting.objects.filter(account=account).order_by("pk").values_list("ledger_id", flat=True))
