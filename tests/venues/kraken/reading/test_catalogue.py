"""What the exchanges trade: under every spelling, read every few hours, and never forgotten while rows name it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.core.errors import Unavailable
from portal.venues.errors import UnknownAsset, UnknownPair
from portal.venues.kraken.models import Connection, Snapshot
from portal.venues.kraken.reading import catalogue
from portal.venues.kraken.tasks import refresh_catalogue
from portal.venues.registry import venue
from tests.venues.kraken.reading.conftest import ASSETS, PAIRS

HERE = venue("kraken")


@pytest.mark.parametrize("name", ["XXBT", "XBT", "BTC", "btc", "xxbt"])
def test_an_asset_goes_by_every_spelling(account, name):
    found = HERE.asset(name)
    assert (found.id, found.altname, found.code, found.decimals, found.shown_decimals) == ("XXBT", "XBT", "BTC", 10, 5)


@pytest.mark.parametrize("name", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD", "xbtusd"])
def test_a_pair_goes_by_every_spelling(account, name):
    assert HERE.pair(name).id == "XXBTZUSD"


def test_what_nobody_trades_is_unknown(account):
    with pytest.raises(UnknownAsset):
        HERE.asset("NIX")
    with pytest.raises(UnknownPair):
        HERE.pair("NIXUSD")


def test_an_asset_too_fine_to_be_kept_is_said_plainly(account):
    """Amounts are whole numbers of 64 bits: eighteen decimals leave nine units."""
    assert "FINE" not in [asset.id for asset in HERE.assets()]
    with pytest.raises(UnknownAsset, match="18 decimals at the exchange, and this portal keeps 10"):
        HERE.asset("FINE")


def test_fees_are_the_exchanges(account):
    found = HERE.schedule("BTC/USD")
    assert [str(step.percent) for step in found.taker] == ["0.26", "0.24"]
    assert [str(step.percent) for step in found.maker] == ["0.16"]


def test_what_the_exchange_names_no_more_stays_known(says, account):
    """Addresses and requests name it."""
    says.say(Assets={"SOL": {"altname": "SOL", "decimals": 10}})
    assert catalogue.refresh_all("Test")
    assert {"XXBT", "SOL"} <= {asset.id for asset in HERE.assets()}


def test_it_is_read_again_after_some_hours(says, account, time_machine):
    refresh_catalogue()
    assert len(says.asked("Assets")) == 1
    time_machine.move_to(timezone.now() + timedelta(hours=5), tick=False)
    says.say(Assets={**ASSETS, "SOL": {"altname": "SOL", "decimals": 10}})
    refresh_catalogue()
    assert HERE.asset("SOL").decimals == 10
    refresh_catalogue()
    assert len(says.asked("Assets")) == 2


def test_one_that_is_connected_newly_is_read_at_the_next_turn(says, connected, time_machine):
    """Also after a try that failed, and not at once again."""
    time_machine.move_to(timezone.now(), tick=False)
    assets = says.bodies["Assets"]
    says.body("Assets", b"<html>")
    refresh_catalogue()
    assert len(says.asked("Assets")) == len(says.asked("AssetPairs")) == 1
    says.body("Assets", assets)
    refresh_catalogue()
    assert len(says.asked("Assets")) == 1
    time_machine.move_to(timezone.now() + timedelta(seconds=301), tick=False)
    refresh_catalogue()
    assert (len(says.asked("Assets")), len(says.asked("AssetPairs"))) == (2, 1)
    assert HERE.asset("BTC").id == "XXBT"


def test_an_exchange_that_no_account_is_connected_to_is_left_alone(says, account):
    Connection.objects.update(disconnected_at=timezone.now())
    Snapshot.objects.all().delete()
    before = len(says.exchange.asked)
    refresh_catalogue()
    assert list(HERE.assets()) == []
    assert len(says.exchange.asked) == before


def test_what_was_never_read_is_read_when_it_is_asked_for(says, connected, page):
    with page():
        assert HERE.asset("BTC").id == "XXBT"
        assert HERE.pair("BTC/USD").id == "XXBTZUSD"
    assert (len(says.asked("Assets")), len(says.asked("AssetPairs"))) == (1, 1)


@pytest.mark.parametrize("body", [b"<html>", b'{"error":["EService:Unavailable"]}', b'{"error":[],"result":[1]}', b""])
def test_an_exchange_that_says_nothing_takes_nothing_away(says, account, body):
    says.body("Assets", body)
    says.body("AssetPairs", body)
    assert not catalogue.refresh_all("Test")
    assert HERE.asset("BTC").id == "XXBT"
    assert HERE.pair("BTC/USD").base.code == "BTC"
    assert all(Snapshot.objects.filter(account=None).values_list("trouble", flat=True))


def test_without_any_catalogue_there_is_nothing_and_no_noise(says, connected):
    for method in ("Assets", "AssetPairs"):
        says.body(method, b"")
    assert list(HERE.assets()) == []
    assert list(HERE.pairs()) == []
    asked = len(says.exchange.asked)
    with pytest.raises(UnknownAsset):
        HERE.asset("BTC")
    # What it could not say just now it is not asked again at once.
    assert len(says.exchange.asked) == asked


def test_two_exchanges_are_one_list_by_the_first_ones_word(says, account, settings):
    settings.EXCHANGES = [f"Test={says.exchange.url}", f"Second={says.exchange.url}"]
    says.say(Assets={"XXBT": {"altname": "XBT", "decimals": 8}, "TON": {"altname": "TON", "decimals": 9}})
    says.say(AssetPairs={"XXBTZUSD": {**PAIRS["XXBTZUSD"], "pair_decimals": 3}})
    assert catalogue.refresh_all("Second")
    assert (HERE.asset("BTC").decimals, HERE.asset("TON").decimals) == (10, 9)
    assert HERE.pair("BTC/USD").price_decimals == 1
    assert not catalogue.refresh_all("Nobody")


def test_a_list_that_cannot_be_read_any_more_names_nothing(says, account, settings):
    settings.EXCHANGES = ["Kraken"]
    assert list(HERE.assets()) == []


def test_what_a_typed_method_cannot_do_there_it_says(account):
    for call in (
        lambda: HERE.tickers(["XBTUSD"]),
        lambda: HERE.depth("XBTUSD", 5),
        lambda: HERE.convert("XXBT", 1, "ZUSD"),
        lambda: HERE.cancel_all_orders(account.pk),
        lambda: HERE.cancel_orders(account.pk, order_id="O"),
        lambda: HERE.simulate_deposit(account.pk, "XXBT", Decimal(1)),
        lambda: HERE.deposit_addresses(account.pk, "XXBT", "Bitcoin", new=True),
        lambda: HERE.allocate(account.pk, "ES", Decimal(1)),
        lambda: HERE.trade_volume(account.pk, []),
    ):
        with pytest.raises(Unavailable) as refused:
            call()
        assert refused.value.message.endswith(".")
