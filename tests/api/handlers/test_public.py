"""What anybody may ask."""

import time

import pytest

from tests.api.calls import ask_public, only_error

ASSETS = {"XXBT", "XETH", "ZUSD", "ZEUR", "USDC", "SOL"}


def result(method: str, **fields: str):
    answer = ask_public(method, **fields)
    assert answer["error"] == [], answer
    return answer["result"]


def test_the_time():
    answer = result("Time")
    assert abs(answer["unixtime"] - time.time()) < 5
    assert time.strptime(answer["rfc1123"], "%a, %d %b %y %H:%M:%S +0000")


def test_the_status():
    answer = result("SystemStatus")
    assert answer["status"] == "online"
    assert time.strptime(answer["timestamp"], "%Y-%m-%dT%H:%M:%SZ")


def test_the_assets_have_the_fields_that_clients_need():
    assets = result("Assets")
    assert assets.keys() == ASSETS
    assert assets["XXBT"] == {
        "aclass": "currency",
        "altname": "XBT",
        "decimals": 10,
        "display_decimals": 5,
        "status": "enabled",
    }


@pytest.mark.parametrize("asked", ["XBT,USD", "xxbt,zusd", "BTC,usd", "BTC, USD"])
def test_assets_are_found_under_any_spelling_and_named_canonically(asked):
    assert result("Assets", asset=asked).keys() == {"XXBT", "ZUSD"}


def test_unknown_assets_and_pairs():
    assert only_error(ask_public("Assets", asset="XBT,NOPE")) == "EQuery:Unknown asset"
    assert only_error(ask_public("AssetPairs", pair="XBTNOPE")) == "EQuery:Unknown asset pair"
    assert only_error(ask_public("Assets", aclass="stone")) == "EGeneral:Invalid arguments"


def test_the_pairs_have_every_field_of_the_protocol():
    pairs = result("AssetPairs")
    row = pairs["XXBTZUSD"]
    assert row["altname"] == "XBTUSD"
    assert row["wsname"] == "XBT/USD"
    assert row["base"] == "XXBT"
    assert row["quote"] == "ZUSD"
    assert row["status"] == "online"
    assert isinstance(row["lot_decimals"], int)
    assert isinstance(row["pair_decimals"], int)
    assert isinstance(row["ordermin"], str)
    assert {each["base"] for each in pairs.values()} | {each["quote"] for each in pairs.values()} <= ASSETS


@pytest.mark.parametrize("asked", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTCUSD", "xbtusd"])
def test_pairs_are_found_under_any_spelling_and_named_canonically(asked):
    assert list(result("AssetPairs", pair=asked)) == ["XXBTZUSD"]


def test_a_pair_asked_by_the_symbol_of_streams_stands_under_it():
    """As the exchange answers: python-kraken-sdk looks there for the decimals of a book that it follows."""
    assert list(result("AssetPairs", pair="BTC/USD")) == ["BTC/USD"]
    assert list(result("AssetPairs", pair="btc/usd,XETHZUSD")) == ["BTC/USD", "XETHZUSD"]
    assert result("AssetPairs", pair="BTC/USD")["BTC/USD"] == result("AssetPairs", pair="XBTUSD")["XXBTZUSD"]
    assert list(result("AssetPairs", pair="SOL/USD")) == ["SOL/USD"]


def test_parts_of_the_pairs():
    assert result("AssetPairs", pair="XBTUSD", info="leverage") == {
        "XXBTZUSD": {"leverage_buy": [], "leverage_sell": []}
    }
    assert only_error(ask_public("AssetPairs", info="everything")) == "EGeneral:Invalid arguments"


def test_known_methods_wait_for_their_time_and_others_do_not_exist():
    assert only_error(ask_public("OHLC")) == "EGeneral:Unknown method"
    for method in ("", "time", "Time/", "Nonsense", "../private/Balance"):
        assert only_error(ask_public(method)) == "EGeneral:Unknown method"


def test_only_get_asks():
    """AP-3: a wrong verb is an unknown method."""
    for verb in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert only_error(ask_public("Time", verb=verb)) == "EGeneral:Unknown method"


def test_parameters_named_twice_are_refused(client):
    response = client.get("/0/public/AssetPairs?info=fees&info=margin", secure=True)
    assert response.content == b'{"error":["EGeneral:Invalid arguments"]}'
