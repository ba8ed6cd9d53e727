"""The last prices of an exchange: read outside of transactions, kept with their instant, and told inside of them."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from policies.rules.language import INFINITE
from portal.treasury.measures.values import value_of
from portal.venues.kraken.models import Connection, Snapshot
from portal.venues.kraken.reading import catalogue, prices
from portal.venues.kraken.tasks import refresh_prices
from portal.venues.registry import venue
from tests.venues.conftest import open_account
from tests.venues.kraken.reading.conftest import PAIRS

HERE = venue("kraken")
ETHER = {**PAIRS["XXBTZUSD"], "altname": "ETHUSD", "wsname": "ETH/USD", "base": "XETH"}
EUROS = {**PAIRS["XXBTZUSD"], "altname": "EURUSD", "wsname": "EUR/USD", "base": "ZEUR"}
TICKER = {
    "XXBTZUSD": {"a": ["64001", "1", "1"], "c": ["64000.5", "0.1"]},
    "XETHZUSD": {"c": ["3200", "1"]},
    "ZEURZUSD": {"c": ["1.25", "1"]},
    "STRANGE": {"c": []},
    "NONE": {"c": ["0", "0"]},
    "WORDS": "what",
}


@pytest.fixture
def priced(says, account):
    """An Account whose exchange trades three things for dollars, and has told their prices."""
    says.say(AssetPairs={**PAIRS, "XETHZUSD": ETHER, "ZEURZUSD": EUROS}, Ticker=TICKER)
    assert catalogue.refresh_all("Test")
    refresh_prices()
    return account


def test_a_price_is_that_of_the_last_trade_with_its_instant(priced):
    found = HERE.price(priced.pk, "XBT", "USD")
    assert found is not None
    assert found.worth == Fraction("64000.5")
    assert timezone.now() - found.at < timedelta(minutes=1)
    assert found.at == Snapshot.objects.get(part=prices.PART).read_at


def test_what_trades_through_dollars_alone_goes_through_dollars(priced):
    found = HERE.price(priced.pk, "XETH", "EUR")
    assert found is not None
    assert found.worth == Fraction(3200) / Fraction("1.25")
    back = HERE.price(priced.pk, "USD", "BTC")
    assert back is not None
    assert back.worth == 1 / Fraction("64000.5")


@pytest.mark.parametrize(("asset", "into"), [("XXDG", "USD"), ("NIX", "USD"), ("XBT", "GBP"), ("FINE", "USD")])
def test_what_nobody_priced_has_none(priced, asset, into):
    assert HERE.price(priced.pk, asset, into) is None


def test_an_asset_is_worth_one_of_itself(priced):
    found = HERE.price(priced.pk, "USD", "ZUSD")
    assert found is not None
    assert found.worth == 1


def test_before_anything_was_read_there_is_none(account):
    assert HERE.price(account.pk, "XBT", "USD") is None
    assert value_of(HERE, account.pk, "XBT", Decimal(1), "USD") == INFINITE


def test_a_price_of_another_exchange_does_not_count(priced):
    other = open_account()
    Connection.objects.create(account=other, exchange="Another", connected_at=timezone.now())
    assert HERE.price(other.pk, "XBT", "USD") is None


def test_the_round_reads_what_has_grown_old_and_no_more(priced, says):
    refresh_prices()
    assert len(says.asked("Ticker")) == 1
    with time_machine.travel(timezone.now() + prices.ROUND):
        refresh_prices()
    assert len(says.asked("Ticker")) == 2


def test_whoever_asks_has_old_prices_read_anew(priced, says):
    says.say(Ticker={"XXBTZUSD": {"c": ["70000", "1"]}})
    HERE.refresh_price(priced.pk, "XBT", "USD")
    assert len(says.asked("Ticker")) == 1, "they are fresh"
    with time_machine.travel(timezone.now() + prices.OLD):
        HERE.refresh_price(priced.pk, "XBT", "USD")
        found = HERE.price(priced.pk, "XBT", "USD")
    assert found is not None
    assert found.worth == 70000
    assert HERE.price(priced.pk, "XETH", "USD") is None, "it was not told any more"


def test_inside_of_a_transaction_nobody_is_called(priced, says):
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        with transaction.atomic():
            HERE.refresh_price(priced.pk, "XBT", "USD")
            assert HERE.price(priced.pk, "XBT", "USD") is not None
        assert len(says.asked("Ticker")) == 1


def test_a_stale_price_makes_an_amount_infinite(priced):
    """P7: older than fifteen minutes."""
    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        assert value_of(HERE, priced.pk, "XBT", Decimal(2), "USD") == Decimal(128001)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert value_of(HERE, priced.pk, "XBT", Decimal(2), "USD") == INFINITE


@pytest.mark.parametrize("answer", ["refused", "shapeless"])
def test_an_exchange_that_does_not_say_leaves_what_it_said_before(priced, says, answer):
    """And is not asked again at once by everybody who comes."""
    if answer == "refused":
        says.refuse(Ticker="EService:Busy")
    else:
        says.say(Ticker=[1, 2])
    before = Snapshot.objects.get(part=prices.PART)
    with time_machine.travel(timezone.now() + prices.OLD, tick=False):
        HERE.refresh_price(priced.pk, "XBT", "USD")
        HERE.refresh_price(priced.pk, "XBT", "USD")
        found = HERE.price(priced.pk, "XBT", "USD")
    assert len(says.asked("Ticker")) == 2
    assert found is not None
    assert found.at == before.read_at
    after = Snapshot.objects.get(part=prices.PART)
    assert (after.answer, after.read_at) == (before.answer, before.read_at)
    assert after.trouble


def test_a_price_is_told_by_few_statements(priced, django_assert_num_queries):
    HERE.price(priced.pk, "XBT", "USD")
    with django_assert_num_queries(2):
        HERE.price(priced.pk, "XETH", "USD")


def test_the_table_of_a_disconnected_account_is_not_refreshed(priced, says):
    Connection.objects.update(disconnected_at=timezone.now())
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        refresh_prices()
        HERE.refresh_price(priced.pk, "XBT", "USD")
    assert len(says.asked("Ticker")) == 1
