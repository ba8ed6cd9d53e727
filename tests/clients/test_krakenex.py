"""krakenex as released, told nothing but the address."""

import krakenex
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def api(portal) -> "krakenex.API":
    api = krakenex.API(*portal.keys["treasury-bot"])
    api.uri = portal.url
    return api


def ask(api, method: str, **fields: object):
    answer = api.query_private(method, fields)
    assert answer["error"] == [], answer
    return answer["result"]


def test_everything_a_bot_needs_to_withdraw(api):
    for method in ("Time", "SystemStatus", "Assets", "AssetPairs"):
        assert api.query_public(method)["error"] == []
    assert ask(api, "GetApiKeyInfo")["apiKeyName"] == "treasury-bot"
    before = ask(api, "Balance")
    assert ask(api, "BalanceEx").keys() == before.keys()
    assert ask(api, "Ledgers", asset="XBT")["count"] >= 1
    assert ask(api, "WithdrawMethods", asset="XBT")[0]["method"] == "Bitcoin"
    assert [row["key"] for row in ask(api, "WithdrawAddresses", asset="XBT")] == ["btc-cold"]
    assert ask(api, "WithdrawInfo", asset="XBT", key="btc-cold", amount="0.1")["method"] == "Bitcoin"
    refid = ask(api, "Withdraw", asset="XBT", key="btc-cold", amount="0.1")["refid"]
    (row,) = [row for row in ask(api, "WithdrawStatus", asset="XBT") if row["refid"] == refid]
    assert (row["status"], row["status-prop"]) == ("Initial", "onhold")
    assert ask(api, "Balance")["XXBT"] != before["XXBT"]
    assert ask(api, "WithdrawCancel", asset="XBT", refid=refid) is True
    assert ask(api, "Balance") == before


def test_errors_arrive_as_the_protocol_has_them(api, portal):
    assert api.query_private("EditOrder")["error"] == ["EService:Unavailable"]
    assert api.query_private("Nonsense")["error"] == ["EGeneral:Unknown method"]
    unknown = {"asset": "XBT", "key": "nowhere", "amount": "0.1"}
    assert api.query_private("Withdraw", unknown)["error"] == ["EFunding:Unknown withdraw key"]
    stranger = krakenex.API("A" * 56, portal.keys["treasury-bot"][1])
    stranger.uri = portal.url
    assert stranger.query_private("Balance")["error"] == ["EAPI:Invalid key"]
    mistaken = krakenex.API(portal.keys["treasury-bot"][0], portal.keys["readonly-bot"][1])
    mistaken.uri = portal.url
    assert mistaken.query_private("Balance")["error"] == ["EAPI:Invalid signature"]
    other = krakenex.API(*portal.keys["trading-bot"])
    other.uri = portal.url
    assert other.query_private("Withdraw", unknown)["error"] == ["EGeneral:Permission denied"]
