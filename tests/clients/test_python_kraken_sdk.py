"""python-kraken-sdk as released, told nothing but the address."""

import pytest
from kraken.exceptions import (
    KrakenInvalidAmountError,
    KrakenPermissionDeniedError,
    KrakenServiceUnavailableError,
    KrakenUnknownWithdrawKeyError,
)
from kraken.spot import Funding, Market, Trade, User

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


# Its nonces are a hundred thousand times larger than the other clients', so it gets keys that they never use.
def given(portal, key: tuple[str, str]) -> dict[str, str]:
    return {"key": key[0], "secret": key[1], "url": portal.url}


def test_the_market_and_an_account(portal):
    key = portal.keys["readonly-bot"]
    market, user = Market(url=portal.url), User(**given(portal, key))
    assert "XXBT" in market.get_assets(assets="XBT")
    assert "XXBTZUSD" in market.get_asset_pairs(pair="XBTUSD")
    assert user.get_account_balance()["ZUSD"]
    assert user.get_balances()["XXBT"]["hold_trade"]
    assert user.get_ledgers_info(asset="XBT")["ledger"]
    with pytest.raises(KrakenServiceUnavailableError):
        user.get_open_orders()
    with pytest.raises(KrakenPermissionDeniedError):
        Trade(**given(portal, key)).cancel_all_orders()
    with pytest.raises(KrakenPermissionDeniedError):
        Funding(**given(portal, key)).withdraw_funds(asset="XBT", key="btc-cold", amount="1")


def test_a_withdrawal_that_nothing_governs(portal):
    funding = Funding(**given(portal, portal.elsewhere))
    (address,) = funding.withdraw_addresses()
    asset, key = address["asset"], address["key"]
    assert funding.withdraw_methods(asset=asset)[0]["method"] == address["method"]
    assert funding.get_withdrawal_info(asset=asset, key=key, amount="0.1")["method"] == address["method"]
    refid = funding.withdraw_funds(asset=asset, key=key, amount="0.1")["refid"]
    (row,) = funding.get_recent_withdraw_status(asset=asset)
    assert row["refid"] == refid
    assert funding.cancel_withdraw(asset=asset, refid=refid) is False
    with pytest.raises(KrakenInvalidAmountError):
        funding.withdraw_funds(asset=asset, key=key, amount="1000")
    with pytest.raises(KrakenUnknownWithdrawKeyError):
        funding.withdraw_funds(asset=asset, key="nowhere", amount="0.1")
