"""Balances, ledgers and what a key is told about itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import lifecycle
from portal.venues.paper import funding
from tests.api.calls import Wire
from tests.api.changed_bots import change_bot

pytestmark = pytest.mark.django_db

INVALID = "EGeneral:Invalid arguments"


@pytest.fixture
def history(account) -> list[datetime]:
    """Sixty deposits of one dollar and more, an hour apart, long before everything else."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    times = [start + timedelta(hours=hour, microseconds=123456) for hour in range(60)]
    for number, at in enumerate(times):
        with time_machine.travel(at, tick=False):
            funding.deposit(account.pk, "EUR" if number % 2 else "USD", Decimal(1), reference=f"past-{number}")
    return times


@pytest.fixture
def books(readonly):
    """A key that sees the past only, so that the cast's own deposits do not count."""
    change_bot(readonly, query_end=datetime(2025, 6, 1, tzinfo=UTC))
    return readonly


def test_balances_are_texts_at_the_scale_of_their_asset(readonly):
    assert readonly.result("Balance") == {
        "SOL": "1500.0000000000",
        "USDC": "25000.00000000",
        "XETH": "210.0000000000",
        "XXBT": "12.4000000000",
        "ZEUR": "96000.5000",
        "ZUSD": "480000.0000",
    }


def test_extended_balances_tell_what_orders_hold(readonly):
    assert readonly.result("BalanceEx")["XXBT"] == {"balance": "12.4000000000", "hold_trade": "0.0000000000"}


def test_a_key_sees_its_own_account_only(world, readonly):
    assert Wire(world.bot("eve-bot")).result("Balance") == {"XXBT": "3.0000000000"}


def test_an_entry_has_the_fields_of_the_protocol(books, history):
    answer = books.result("Ledgers", asset="USD", end=int(history[0].timestamp()) + 1)
    assert answer["count"] == 1
    ((name, row),) = answer["ledger"].items()
    assert name.startswith("L")
    assert len(name) == 19
    assert row == {
        "refid": row["refid"],
        "time": history[0].timestamp(),
        "type": "deposit",
        "subtype": "",
        "aclass": "currency",
        "asset": "ZUSD",
        "amount": "1.0000",
        "fee": "0.0000",
        "balance": row["balance"],
    }
    assert books.result("QueryLedgers", id=name) == {name: row}


def test_ledgers_come_in_pages_of_fifty_newest_first(books, history):
    first, second = books.result("Ledgers"), books.result("Ledgers", ofs=50)
    assert (len(first["ledger"]), len(second["ledger"])) == (50, 10)
    assert first["count"] == second["count"] == 60
    times = [row["time"] for row in [*first["ledger"].values(), *second["ledger"].values()]]
    assert times == sorted((at.timestamp() for at in history), reverse=True)
    assert books.result("Ledgers", ofs=60) == {"ledger": {}, "count": 60}


def test_the_count_can_be_left_out(books, history):
    for spelling in ("true", "True", "1"):
        assert "count" not in books.result("Ledgers", without_count=spelling)
    assert books.result("Ledgers", without_count="False")["count"] == 60


def test_bounds_are_exclusive_at_the_start_and_inclusive_at_the_end(books, history):
    seconds = [f"{at.timestamp():.6f}" for at in history]
    answer = books.result("Ledgers", start=seconds[10], end=seconds[12])
    assert [row["time"] for row in answer["ledger"].values()] == [history[12].timestamp(), history[11].timestamp()]


def test_an_entry_can_be_a_bound(books, history):
    ids = list(books.result("Ledgers", end=int(history[4].timestamp()) + 1)["ledger"])
    assert list(books.result("Ledgers", start=ids[4], end=ids[1])["ledger"]) == ids[1:4]
    assert books.error("Ledgers", start="LAAAAA-AAAAA-AAAAAA") == INVALID


def test_filters_by_asset_and_type(books, history):
    assert books.result("Ledgers", asset="all", type="all", aclass="currency")["count"] == 60
    assert books.result("Ledgers", asset="eur")["count"] == 30
    assert books.result("Ledgers", asset="EUR,USD")["count"] == 60
    assert books.result("Ledgers", type="deposit")["count"] == 60
    assert books.result("Ledgers", type="withdrawal") == {"ledger": {}, "count": 0}
    assert books.ask_json("Ledgers", {"asset": ["EUR"], "ofs": 0, "without_count": False})["result"]["count"] == 30


def test_what_cannot_be_read_is_refused(readonly):
    for fields in (
        {"type": "gift"}, {"ofs": "-1"}, {"ofs": 10**9}, {"ofs": "1.5"}, {"start": "yesterday"}, {"end": "-5"},
        {"without_count": "maybe"}, {"aclass": "stone"},
    ):  # fmt: skip
        assert readonly.error("Ledgers", **fields) == INVALID, fields


def test_unknown_assets(readonly):
    assert readonly.error("Ledgers", asset="NOPE") == "EQuery:Unknown asset"


class TestTheQueryWindow:
    """DESIGN K4: query start inclusive, query end exclusive; queries see nothing outside."""

    def test_it_bounds_what_ledgers_show_and_count(self, readonly, history):
        change_bot(readonly, query_start=history[10], query_end=history[20])
        answer = readonly.result("Ledgers")
        assert answer["count"] == 10
        times = [row["time"] for row in answer["ledger"].values()]
        assert times == [at.timestamp() for at in reversed(history[10:20])]
        assert readonly.result("Ledgers", start=0, end=2000000000)["count"] == 10

    def test_it_bounds_single_entries_and_bounds_by_entry(self, readonly, history):
        ids = list(readonly.result("Ledgers", end=int(history[4].timestamp()) + 1)["ledger"])
        change_bot(readonly, query_start=history[3])
        assert readonly.result("QueryLedgers", id=ids[1])
        assert readonly.error("QueryLedgers", id=ids[2]) == INVALID
        assert readonly.error("QueryLedgers", id=f"{ids[1]},{ids[2]}") == INVALID
        assert readonly.error("Ledgers", end=ids[2]) == INVALID


def test_single_entries_are_limited_in_number(books, history):
    ids = list(books.result("Ledgers")["ledger"])
    assert len(books.result("QueryLedgers", id=",".join(ids[:20]))) == 20
    for wrong in (",".join(ids[:21]), "", "LAAAAA-AAAAA-AAAAAA"):
        assert books.error("QueryLedgers", id=wrong) == INVALID


def test_the_entries_of_another_account_do_not_exist(world, readonly):
    foreign = next(iter(Wire(world.bot("eve-bot")).result("Ledgers")["ledger"]))
    assert readonly.error("QueryLedgers", id=foreign) == INVALID


def test_a_key_is_told_about_itself(treasury):
    begin, expiry = datetime(2025, 1, 1, tzinfo=UTC), timezone.now() + timedelta(days=30)
    change_bot(
        treasury, query_start=begin, nonce_window=5000, websocket=True, ip_allow_list=["127.0.0.1", "10.0.0.0/8"]
    )
    type(treasury.bot.key).objects.filter(pk=treasury.bot.key.pk).update(expires_at=expiry)
    lifecycle.touch(treasury.bot.service_user)
    info = treasury.result("GetApiKeyInfo")
    assert info.keys() == {
        "apiKeyName", "apiKey", "nonce", "nonceWindow", "permissions", "iban", "validUntil", "queryFrom", "queryTo",
        "createdTime", "modifiedTime", "ipAllowlist", "lastUsed",
    }  # fmt: skip
    assert info["apiKeyName"] == "treasury-bot"
    assert info["apiKey"] == treasury.bot.public
    assert info["nonceWindow"] == 5000
    assert {"query-funds", "withdraw-funds", "create-ws-token"} <= set(info["permissions"])
    assert info["validUntil"] == str(int(expiry.timestamp()))
    assert info["queryFrom"] == str(int(begin.timestamp()))
    assert info["queryTo"] == "0"
    assert info["ipAllowlist"] == ["127.0.0.1", "10.0.0.0/8"]
    assert int(info["nonce"]) > 0
    assert abs(int(info["lastUsed"]) - timezone.now().timestamp()) < 5


def test_the_information_needs_no_permission_and_holds_no_secret(readonly):
    change_bot(readonly, permissions=[])
    nonce_free = str(readonly.result("GetApiKeyInfo"))
    assert readonly.bot.secret not in nonce_free


def test_methods_not_served_yet_say_so_after_the_permission(readonly, trading):
    for method in ("CreditLines", "OrderAmends", "Level3", "WalletTransfer"):
        assert readonly.error(method) == "EGeneral:Unknown method"
    assert readonly.error("EditOrder") == "EGeneral:Permission denied"
    assert trading.error("EditOrder") == "EGeneral:Unknown method"
    assert readonly.error("GetWebSocketsToken") == "EGeneral:Permission denied"
    change_bot(readonly, websocket=True)
    assert set(readonly.result("GetWebSocketsToken")) == {"token", "expires"}


def test_methods_that_do_not_exist(readonly):
    for method in ("", "balance", "Balance/", "Nonsense", "Earn", "Earn/", "../public/Time"):
        assert readonly.error(method) == "EGeneral:Unknown method"
