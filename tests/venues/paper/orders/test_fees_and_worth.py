"""Fees by what was traded, and what an Account with open orders is worth."""

from decimal import Decimal

import pytest

from portal.venues.paper.orders.models import TradedDay
from portal.venues.types import TradeQuery
from tests.venues.conftest import START, open_account
from tests.venues.ordering import VENUE, place

pytestmark = pytest.mark.usefixtures("adds_up")


def test_fees_fall_with_what_was_traded_in_thirty_days(trader, clock):
    def taker():
        return VENUE.trade_volume(trader.pk, ["XBTUSD"]).fees[0].taker

    assert (taker().percent, taker().next_percent, taker().next_volume) == (Decimal("0.4"), Decimal("0.35"), 10000)
    place(trader, "sell", "0.2")
    volume = VENUE.trade_volume(trader.pk, []).volume
    assert volume == sum(trade.cost for trade in VENUE.trades(trader.pk, TradeQuery()).rows)
    assert (taker().percent, taker().tier_volume) == (Decimal("0.35"), 10000)
    assert place(trader, "sell", "0.01").fee == Decimal("2.0999"), "0.35 percent of 599.97, rounded up"
    clock(30 * 86400)
    assert VENUE.trade_volume(trader.pk, []).volume == 0
    assert taker().percent == Decimal("0.4")
    assert TradedDay.objects.count() == 1


def test_the_last_tier_has_no_next_one(trader):
    TradedDay.objects.create(account=trader, on=START.date(), value_units=10**7 * 10**4)
    fees = VENUE.trade_volume(trader.pk, ["ETHUSD"]).fees[0]
    TradedDay.objects.all().delete()

    assert (fees.maker.percent, fees.maker.next_percent, fees.maker.next_volume) == (Decimal(0), None, None)
    assert VENUE.schedule("ETHUSD").maker[-1].percent == 0


def test_the_trade_balance_counts_everything_at_reference_prices(trader):
    place(trader, "buy", "0.5", "50000")
    balance = VENUE.trade_balance(trader.pk, "ZUSD")

    assert balance.equivalent == 160000
    assert balance.unexecuted == Decimal("25062.5")
    assert balance.free == balance.equivalent - balance.unexecuted
    assert VENUE.trade_balance(open_account().pk, "ZEUR").equivalent == 0
