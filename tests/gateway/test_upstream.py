"""The exchange of the tests is one: its credentials may what their names say, and no customer sees another."""

import pytest

from tests.gateway.upstream.customers import EVERYTHING, KINDS, WITHDRAWING, Destination
from tests.gateway.upstream.exchange import WRONG_SECRET, Refused, call
from tests.running import soon

COLD = {"asset": "XBT", "key": "btc-cold", "amount": "0.01"}
OTHER = "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"
DENIED = ["EGeneral:Permission denied"]


def test_a_withdrawal_that_no_policy_governs_leaves_at_once(customer):
    """With the credential that may withdraw and nothing else, and what else a gateway asks with it."""
    info = customer.result("withdraw", "GetApiKeyInfo")
    assert (info["permissions"], info["nonceWindow"], info["ipAllowlist"]) == (list(WITHDRAWING), 0, ["127.0.0.1"])
    assert [row["method"] for row in customer.result("withdraw", "WithdrawMethods", asset="XBT")] == ["Bitcoin"]
    assert {row["key"] for row in customer.result("withdraw", "WithdrawAddresses")} == set(customer.addresses)
    address = customer.addresses["btc-cold"].address
    sent = customer.result("withdraw", "Withdraw", **COLD, address=address, max_fee="0.001")["refid"]
    (row,) = soon(customer.withdrawals, lambda rows: rows[0]["status"] != "Initial")
    assert (row["refid"], row["key"]) == (sent, "btc-cold")
    assert [row["refid"] for row in customer.result("withdraw", "WithdrawStatus")] == [sent]


@pytest.mark.parametrize("kind", KINDS)
def test_each_credential_may_what_it_is_named_for(customer, kind):
    named = KINDS[kind]
    if "127.0.0.1" not in (named.sources or ("127.0.0.1",)):
        assert customer.ask(kind, "GetApiKeyInfo")["error"] == ["EAPI:Invalid key"]
        return
    info = customer.result(kind, "GetApiKeyInfo")
    assert set(info["permissions"]) == set(named.permissions)
    assert (info["nonceWindow"], info["ipAllowlist"]) == (named.window, list(named.sources))
    assert (info["validUntil"] != "0") is (named.days is not None)
    may_withdraw = not set(WITHDRAWING).isdisjoint(named.permissions)
    assert (customer.ask(kind, "WithdrawInfo", **COLD)["error"] == DENIED) is not may_withdraw
    assert (customer.ask(kind, "Balance")["error"] == DENIED) is ("query-funds" not in named.permissions)


def test_customers_do_not_see_each_other(upstream, customer):
    other = upstream.customer()
    customer.result("everything", "Withdraw", **COLD)
    assert other.withdrawals() == []
    main, beside = (customer.result(kind, "Balance") for kind in ("everything", "of another account"))
    assert (main["XETH"], beside["XXBT"]) == ("210.0000000000", "1.0000000000")
    assert customer.result("of another account", "WithdrawAddresses") == []


def test_what_the_exchange_refuses_of_a_credential(customer):
    public, secret = customer.keys["rest"]
    nonce = 10**15
    for key, said in (
        ((public, WRONG_SECRET), "EAPI:Invalid signature"),
        ((public[::-1], secret), "EAPI:Invalid key"),
    ):
        assert call(customer.url, key, "Balance", nonce=nonce)["error"] == [said]
    assert customer.ask("withdraw", "WithdrawStatus", nonce=nonce)["error"] == []
    assert customer.ask("withdraw", "WithdrawStatus", nonce=nonce)["error"] == ["EAPI:Invalid nonce"]
    customer.revoke("rest")
    assert customer.ask("rest", "Balance")["error"] == ["EAPI:Invalid key"]


def test_calls_overtake_each_other_only_within_a_window(customer):
    nonce = 10**15
    for kind, is_taken in (("rest", True), ("rest in order", False)):
        assert customer.ask(kind, "Balance", nonce=nonce)["error"] == []
        error = customer.ask(kind, "Balance", nonce=nonce - 1000)["error"]
        assert error == ([] if is_taken else ["EAPI:Invalid nonce"])


def test_a_credential_changes_at_the_exchange(customer):
    customer.keys["withdraw"]
    customer.change("withdraw", permissions=EVERYTHING, ip_allow_list=[], nonce_window=1000, days=2)
    info = customer.result("withdraw", "GetApiKeyInfo")
    assert (set(info["permissions"]), info["ipAllowlist"], info["nonceWindow"]) == (set(EVERYTHING), [], 1000)
    assert info["validUntil"] != "0"
    key = customer.another("nearly nothing", "one-more")
    assert call(customer.url, key, "GetApiKeyInfo", nonce=1)["result"]["apiKeyName"] == "one-more"


def test_the_book_of_the_exchange_changes(customer):
    customer.re_point("btc-cold", OTHER)
    customer.add(Destination("sol-cold", "SOL", "Solana", "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"))
    customer.remove("eth-cold")
    rows = {row["key"]: row["address"] for row in customer.result("withdraw", "WithdrawAddresses")}
    assert rows == {key: each.address for key, each in customer.addresses.items()}
    assert rows["btc-cold"] == OTHER
    before = {**COLD, "address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"}
    assert customer.ask("withdraw", "Withdraw", **before)["error"] == ["EGeneral:Invalid arguments"]


def test_the_exchange_holds_withdrawals_of_its_own_accord(customer):
    customer.hold()
    sent = customer.result("withdraw", "Withdraw", **COLD)["refid"]
    (row,) = customer.withdrawals()
    assert (row["status"], row["status-prop"]) == ("Initial", "onhold")
    assert customer.result("withdraw", "WithdrawCancel", asset="XBT", refid=sent) is True
    customer.hold(is_held=False)
    customer.result("withdraw", "Withdraw", **COLD)
    assert "status-prop" not in customer.withdrawals()[0]


def test_money_comes_in(customer):
    customer.pay_in("BTC", "2.5")
    assert customer.result("rest", "Balance")["XXBT"] == "15.0000000000"


def test_what_is_impossible_at_the_exchange_is_said(customer):
    with pytest.raises(Refused, match="btc-cold"):
        customer.add(customer.addresses["btc-cold"])
