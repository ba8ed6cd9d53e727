from decimal import Decimal

import pytest

from portal.venues.errors import UnknownAsset, UnknownPair
from portal.venues.paper import catalogue, networks
from portal.venues.paper.venue import PaperVenue
from portal.venues.protocol import Venue

VENUE: Venue = PaperVenue()


@pytest.mark.parametrize("name", ["XXBT", "xbt", "Btc"])
def test_an_asset_is_found_under_each_of_its_spellings(name):
    assert VENUE.asset(name).id == "XXBT"


@pytest.mark.parametrize("name", ["XXBTZUSD", "xbtusd", "XBT/USD", "BTC/USD"])
def test_a_pair_is_found_under_each_of_its_spellings(name):
    assert VENUE.pair(name).id == "XXBTZUSD"


@pytest.mark.parametrize("name", ["", "DOGE", "XXBT\x00", "XXBT ", "ß"])
def test_other_names_are_unknown(name):
    with pytest.raises(UnknownAsset):
        VENUE.asset(name)
    with pytest.raises(UnknownPair):
        VENUE.pair(name)


def test_no_two_assets_or_pairs_share_a_name():
    assert len({asset.id for asset in VENUE.assets()}) == len(VENUE.assets()) == 6
    assert len({pair.id for pair in VENUE.pairs()}) == len(VENUE.pairs())
    assert len(catalogue._PAIR_BY_NAME) >= 2 * len(catalogue.PAIRS)


def test_every_asset_fits_whole_units_in_64_bits_and_has_a_way_out():
    for asset in VENUE.assets():
        assert 0 <= asset.shown_decimals <= asset.decimals <= 10
    assert {method.asset for method in VENUE.withdrawal_methods()} == set(VENUE.assets())


def test_every_pair_can_be_traded_exactly():
    for pair in VENUE.pairs():
        assert pair.volume_decimals <= pair.base.decimals
        assert pair.cost_decimals <= pair.quote.decimals
        assert pair.tick_size == Decimal(1).scaleb(-pair.price_decimals)
        assert pair.minimum_volume > 0 < pair.minimum_cost


def test_every_method_takes_less_than_its_minimum():
    for method in networks.METHODS:
        assert Decimal(0) <= method.fee < method.minimum
