"""DESIGN V2: what passed our checks and no policy governs is signed anew and sent on, and comes back as it was."""

import json
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import explain
from accounts.models import KeyUse, RefusedCall
from portal.venues.kraken.models import Credential, Purpose, Step, Withdrawal
from tests.api.calls import only_error
from tests.gateway.proxy import faults
from tests.gateway.relay.conftest import add_credential, raw, sent

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100.5", "volume": "0.01"}


def test_a_bot_trades_at_the_exchange_as_it_does_here(bot, customer, proxy):
    (txid,) = bot.result("AddOrder", **ORDER, userref=7)["txid"]
    assert list(customer.result("everything", "OpenOrders")["open"]) == [txid]
    assert list(bot.result("OpenOrders")["open"]) == [txid]
    assert bot.result("CancelOrder", txid=txid) == {"count": 1}
    assert bot.error("CancelOrder", txid=txid) == "EOrder:Unknown order"
    assert bot.result("QueryOrders", txid=txid)[txid]["status"] == "canceled"
    assert {request.key for request in proxy.requests()} == {customer.keys["rest"][0]}


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":[],"result":{"ZUSD":"1.0000","unheard of":{"a":[1,2.50,null]}}}',
        b'{ "error" : [ ] , "result" : { "ZUSD" : "1.0000" } }',
        b'{"error":["WGeneral:Soon"],"result":{"ZUSD":"1.0000"}}',
        '{"error":[],"result":{"ZUSD":"\u00fc \\u00fc"}}'.encode(),
    ],
)
def test_an_answer_comes_back_to_the_byte(bot, proxy, body):
    proxy.on("Balance", faults.shape(body))
    assert raw(bot, "Balance") == body


def test_what_the_exchange_refuses_comes_back_to_the_byte_and_people_see_it(bot, proxy):
    said = b'{"error":["EOrder:Margin allowance exceeded:42"],"result":{}}'
    proxy.on("AddOrder", faults.shape(said))
    assert raw(bot, "AddOrder", **ORDER) == said
    usage.flush()
    refused = RefusedCall.objects.get(api_key=bot.bot.key)
    assert (refused.method, refused.answer, refused.reason) == (
        "AddOrder", "EOrder:Margin allowance exceeded", "exchange",
    )  # fmt: skip
    assert refused.facts["said"] == "EOrder:Margin allowance exceeded:42"
    assert KeyUse.objects.get(api_key=bot.bot.key, refused=True).calls == 1


def test_people_are_told_what_to_do_about_what_the_exchange_refuses(bot, proxy):
    proxy.on("Earn/Allocate", faults.error("EGeneral:Permission denied"))
    proxy.on("AddOrder", faults.error("EOrder:Cost minimum not met"))
    bot.ask("Earn/Allocate", strategy_id="ES", amount="1")
    bot.ask("AddOrder", **ORDER)
    usage.flush()
    told = {call.method: explain(call) for call in RefusedCall.objects.filter(api_key=bot.bot.key)}
    assert "no credential of the Account may" in told["Earn/Allocate"].advice
    assert told["AddOrder"].what == "The exchange refused it: EOrder:Cost minimum not met."


def test_an_error_of_any_length_is_kept_as_far_as_there_is_room(bot, proxy):
    proxy.on("TradeVolume", faults.error("EQuery:" + "x" * 5_000 + "\n"))
    assert bot.ask("TradeVolume")["error"][0].endswith("x\n")
    usage.flush()
    refused = RefusedCall.objects.get(api_key=bot.bot.key)
    assert (len(refused.answer), len(refused.facts["said"])) == (120, 300)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("AmendOrder", {"txid": "OAAAAA-AAAAA-AAAAAA", "limit_price": "1.10"}),
        ("EditOrder", {"txid": "OAAAAA-AAAAA-AAAAAA", "pair": "XBTUSD"}),
        ("CancelAllOrdersAfter", {"timeout": "60"}),
        ("OrderAmends", {"order_id": "OAAAAA-AAAAA-AAAAAA"}),
        ("CreditLines", {}),
        ("Level3", {"pair": "XBTUSD"}),
        ("Balance", {"rebase_multiplier": "base", "not known": "to us"}),
    ],
)
def test_what_only_the_exchange_knows_is_passed_on_with_every_field(bot, proxy, method, fields):
    proxy.on(method, faults.shape(b'{"error":[],"result":{"of":"the exchange"}}'))
    assert bot.result(method, **fields, otp="123456") == {"of": "the exchange"}
    (request,) = proxy.requests(method)
    given = dict(request.fields)
    assert int(given.pop("nonce")) > 10**18
    assert given == fields


def test_lists_and_numbers_go_out_as_they_were_spelled(bot, proxy):
    proxy.on("AddOrderBatch", faults.shape(b'{"error":[],"result":{"orders":[]}}'))
    orders = [{"ordertype": "limit", "price": 37500.10, "volume": 1e-05, "userref": 7, "reduce_only": False}] * 2
    assert bot.ask_json("AddOrderBatch", {"pair": "XBTUSD", "validate": True, "orders": orders})["error"] == []
    (request,) = proxy.requests("AddOrderBatch")
    given = json.loads(request.body, parse_float=str, parse_int=str)
    spelled = {"ordertype": "limit", "price": "37500.1", "volume": "1e-05", "userref": "7", "reduce_only": False}
    assert given["orders"] == [spelled] * 2
    assert (given["pair"], given["validate"]) == ("XBTUSD", True)
    assert request.headers["Content-Type"] == "application/json"


def test_a_form_with_a_list_goes_out_as_json(bot, proxy):
    fields = {**ORDER, "oflags[0]": "post", "oflags[1]": "fciq", "close[ordertype]": "limit", "close[price]": "9.10"}
    proxy.on("AddOrder", faults.shape(b'{"error":[],"result":{}}'))
    bot.result("AddOrder", **fields)
    (request,) = proxy.requests("AddOrder")
    given = json.loads(request.body)
    assert int(given.pop("nonce")) > 10**18
    assert given == {**ORDER, "oflags": ["post", "fciq"], "close": {"ordertype": "limit", "price": "9.10"}}


@pytest.mark.parametrize("name", ["Nonce", "nonce[]", "NEW", "new[0]", "cl-ord-id", "clOrdId", "Validate", "start[]"])
def test_nothing_is_passed_on_by_nearly_the_name_of_what_is_read_here(bot, proxy, name):
    for method in ("DepositAddresses", "AddOrder", "Ledgers"):
        assert bot.error(method, **{name: "1"}) == "EGeneral:Invalid arguments"
    assert proxy.requests() == []


def test_who_may_not_deposit_makes_no_address(bots, proxy):
    proxy.on("DepositAddresses", faults.shape(b'{"error":[],"result":[]}'))
    asking = bots("asking-bot", ("query-funds",))
    assert asking.error("DepositAddresses", asset="XBT", method="Bitcoin", new="True") == "EGeneral:Permission denied"
    assert proxy.requests() == []
    assert asking.result("DepositAddresses", asset="XBT", method="Bitcoin", new="False") == []


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("WalletTransfer", "EGeneral:Permission denied"),
        ("AccountTransfer", "EGeneral:Permission denied"),
        ("CreateSubaccount", "EGeneral:Permission denied"),
        ("Unheard", "EGeneral:Unknown method"),
    ],
)
def test_money_past_the_approvals_and_what_no_permission_covers_go_nowhere(bot, proxy, method, said):
    assert bot.error(method) == said
    assert proxy.requests() == []


def test_tokens_of_sockets_are_not_served(bots, proxy):
    assert bots("socket-bot", websocket=True).error("GetWebSocketsToken") == "EGeneral:Unknown method"
    assert proxy.requests() == []


def test_a_permission_that_the_key_lacks_is_refused_here(bots, proxy):
    reading = bots("reading-bot", ("query-funds",))
    assert reading.error("AmendOrder", txid="O") == "EGeneral:Permission denied"
    assert reading.error("CreditLines") == "EGeneral:Unknown method"
    assert sent(proxy, "AmendOrder") == 0


def test_the_key_is_told_of_itself_by_us(bot, proxy):
    assert bot.result("GetApiKeyInfo")["apiKey"] == bot.bot.public
    assert proxy.requests() == []


def hold(account, asset: str, units: int, decimals: int, step: str = Step.HELD) -> None:
    Withdrawal.objects.create(
        account=account, reference=f"r-{Withdrawal.objects.count()}", asset=asset, decimals=decimals,
        amount_units=units, max_fee_units=0, fee_units=0, key="k", address="a", method="m", network="n",
        held_at=timezone.now(), step=step,
    )  # fmt: skip


def test_balances_are_less_what_withdrawals_hold(bot, real, customer):
    """DESIGN K7: the exchange does not know of a hold."""
    before = customer.result("everything", "BalanceEx")
    hold(real, "XXBT", 1_50000000, 8)
    hold(real, "XXBT", 100, 10)
    hold(real, "XETH", 1, 10, Step.INTENDED)
    hold(real, "ZUSD", 7, 4, Step.RELEASED)
    found, extended = bot.result("Balance"), bot.result("BalanceEx")
    assert (found["XXBT"], found["XETH"]) == ("10.9999999900", "209.9999999999")
    assert found["ZUSD"] == before["ZUSD"]["balance"]
    assert {asset: row["balance"] for asset, row in extended.items()} == found
    assert {asset: row["hold_trade"] for asset, row in extended.items()} == {
        asset: row["hold_trade"] for asset, row in before.items()
    }


@pytest.mark.parametrize(
    ("balance", "held", "left"), [("1.50", 5, "1.00"), ("1.50", 15, "0.00"), ("1.50", 16, "0.00"), ("1", 5, "0")]
)
def test_a_balance_keeps_its_decimals_and_is_never_below_zero(bot, real, proxy, balance, held, left):
    hold(real, "ABC", held, 1)
    body = {"error": [], "result": {"X": "1.0", "ABC": balance}}
    proxy.on("Balance", faults.shape(body))
    row = {"balance": balance, "hold_trade": "0.10", "new": [1.10]}
    proxy.on("BalanceEx", faults.shape(b'{"error":[],"result":{"ABC":%s}}' % json.dumps(row).encode()))
    assert bot.result("Balance") == {"X": "1.0", "ABC": left}
    assert bot.result("BalanceEx") == {"ABC": {**row, "balance": left}}


def test_a_balance_that_cannot_be_read_is_not_shown(bot, real, proxy):
    hold(real, "ABC", 5, 1)
    proxy.on("Balance", faults.shape({"error": [], "result": {"ABC": [1]}}))
    assert bot.error("Balance") == "EService:Unavailable"


def test_the_credential_that_may_do_it_is_taken(bot, real, customer, proxy):
    Credential.objects.filter(account=real, purpose=Purpose.REST).delete()
    add_credential(real, customer, "nearly nothing", Purpose.REST)
    add_credential(real, customer, "rest in order", Purpose.REST)
    bot.result("Balance")
    bot.result("Ledgers")
    keys = [(request.method, request.key) for request in proxy.requests()]
    assert keys == [("Balance", customer.keys["rest in order"][0]), ("Ledgers", customer.keys["nearly nothing"][0])]


@pytest.mark.parametrize("change", ["stopped", "missing"])
def test_without_a_credential_the_bot_hears_that_it_is_unavailable_and_people_why(bot, real, proxy, change):
    rest = Credential.objects.filter(account=real, purpose=Purpose.REST)
    if change == "stopped":
        rest.update(stopped_at=timezone.now())
    else:
        rest.update(removed_at=timezone.now(), sealed_secret="")
    assert only_error(bot.ask("AddOrder", **ORDER)) == "EService:Unavailable"
    assert proxy.requests() == []
    usage.flush()
    said = RefusedCall.objects.get(api_key=bot.bot.key).facts["said"]
    assert ("refused the credential" in said) is (change == "stopped")
    assert ("not connected" in said) is (change == "missing")


def test_amounts_are_what_they_were(bot, customer):
    """What the exchange is sent is what the bot has written, not what a float makes of it."""
    fields = {**ORDER, "price": "100.1", "volume": "0.12345678"}
    assert bot.ask_json("AddOrder", {**fields, "volume": 0.12345678})["error"] == []
    (row,) = customer.result("everything", "OpenOrders")["open"].values()
    assert (Decimal(row["vol"]), Decimal(row["descr"]["price"])) == (Decimal("0.12345678"), Decimal("100.1"))
