"""What the Account has, as a socket is told: each entry of the ledger folds into what the next snapshot says."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from portal.api.protocol.envelope import ApiError, Error
from portal.api.stream.channels import balances
from portal.api.stream.channels.public import Refused
from portal.venues.registry import venue
from portal.venues.types import LedgerEvent, OrderEvent
from tests.api.stream.channels.following import Follower
from tests.api.stream.channels.test_executions import MARKET
from tests.api.stream.conftest import on_a_socket
from tests.api.stream.trading.test_add_order import FAR

pytestmark = pytest.mark.django_db


def wallets(frames):
    """What a client knows: by asset and wallet the last balance it was told."""
    known = {}
    for frame in frames:
        for row in frame:
            if "wallets" in row:
                for wallet in row["wallets"]:
                    known[row["asset"], wallet["type"], wallet["id"]] = wallet["balance"]
            else:
                known[row["asset"], row["wallet_type"], row["wallet_id"]] = row["balance"]
    return known


def spot(known):
    return {name: balance for name, balance in known.items() if name[1] == "spot"}


def test_updates_fold_into_the_next_snapshot(messenger, account):
    """Trades, holds, a deposit, Earn and what it gives back: nothing is lost and nothing counted twice."""
    at = venue(account.venue)
    strategy = next(each for each in at.strategies("SOL") if each.unbonding)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        follower = Follower(messenger.bot, "balances")
        frames = list(follower.first)
        messenger.result("add_order", **MARKET)
        messenger.result("add_order", **FAR)
        at.simulate_deposit(account.pk, "ETH", Decimal("1.5"))
        at.allocate(account.pk, strategy.id, strategy.minimum)
        for seconds in (60, 3600):
            clock.shift(seconds)
            at.catch_up([account.pk])
            frames += follower.rest()
            assert spot(wallets(frames)) == spot(wallets(Follower(messenger.bot, "balances").first))
    told = [row for frame in frames[1:] for row in frame]
    assert {row["type"] for row in told} == {"trade", "deposit", "transfer"}
    assert len({row["ledger_id"] for row in told}) == len(told)
    assert ("SOL", "earn", "bonded") in wallets(Follower(messenger.bot, "balances").first)


def test_an_update_is_the_entry_of_the_ledger(messenger, trading):
    follower = Follower(messenger.bot, "balances")
    messenger.result("add_order", **MARKET)
    told = [row for frame in follower.rest() for row in frame]
    ledger = trading.result("Ledgers", type="trade")["ledger"]
    assert {row["ledger_id"] for row in told} == ledger.keys()
    for row in told:
        entry = ledger[row["ledger_id"]]
        assert row == {
            "ledger_id": row["ledger_id"], "ref_id": entry["refid"], "timestamp": row["timestamp"], "type": "trade",
            "category": "trade", "asset": row["asset"], "asset_class": "currency", "wallet_type": "spot",
            "wallet_id": "main", "amount": Decimal(entry["amount"]), "fee": Decimal(entry["fee"]),
            "balance": Decimal(entry["balance"]),
        }  # fmt: skip
    assert {row["asset"] for row in told} == {"BTC", "USD"}


def test_what_is_held_is_there_until_it_is_booked(messenger, trading):
    before = wallets(Follower(messenger.bot, "balances").first)
    follower = Follower(messenger.bot, "balances")
    messenger.result("add_order", **FAR)
    assert float(trading.result("BalanceEx")["ZUSD"]["hold_trade"]) > 0
    assert follower.rest() == []
    assert wallets(Follower(messenger.bot, "balances").first) == before


def test_what_a_withdrawal_holds_is_there_until_it_is_sent(messenger, treasury):
    before = wallets(Follower(messenger.bot, "balances").first)
    free = Decimal(treasury.result("Balance")["XXBT"])
    treasury.result("Withdraw", asset="XBT", key="btc-cold", amount="0.5")
    assert Decimal(treasury.result("Balance")["XXBT"]) == free - Decimal("0.5")
    assert wallets(Follower(messenger.bot, "balances").first) == before


def test_what_was_lent_is_in_its_own_wallet(messenger, account):
    at = venue(account.venue)
    before = {row["asset"]: row for row in Follower(messenger.bot, "balances").first[0]}
    for strategy in at.strategies("SOL"):
        at.allocate(account.pk, strategy.id, strategy.minimum)
    after = {row["asset"]: row for row in Follower(messenger.bot, "balances").first[0]}
    assert after["SOL"]["balance"] == before["SOL"]["balance"]
    assert after["BTC"] == before["BTC"]
    kinds = {(wallet["type"], wallet["id"]): wallet["balance"] for wallet in after["SOL"]["wallets"]}
    assert sum(kinds.values()) == after["SOL"]["balance"]
    assert kinds.keys() > {("spot", "main")}


@pytest.mark.parametrize(
    ("kind", "subkind", "more"),
    [
        ("deposit", "", {"category": "deposit"}),
        ("withdrawal", "", {"category": "withdrawal"}),
        ("staking", "", {"category": "staking-rewards"}),
        ("transfer", "spottostaking", {"subtype": "spottostaking"}),
        ("transfer", "stakingtospot", {"subtype": "stakingtospot"}),
    ],
)
def test_each_type_has_its_category_where_the_protocol_knows_one(messenger, account, kind, subkind, more):
    asset = venue(account.venue).asset("BTC")
    event = LedgerEvent(timezone.now(), "L", "R", kind, subkind, asset, Decimal("-0.10"), Decimal("1E+2"), Decimal(0))
    ((row,),) = balances.rows(event, balances.read({}), messenger.credential)
    assert {name: row[name] for name in row.keys() & {"category", "subtype"}} == more
    assert (row["type"], row["asset"]) == (kind, "BTC")
    numbers = [row[name] for name in ("amount", "balance", "fee")]
    assert msgspec.json.encode(numbers) == b"[-0.1,100,0]"


def test_the_query_window_bounds_what_is_told(messenger):
    """As in the ledger; how things stand now is told to whoever may ask for balances."""
    followers = []
    now = timezone.now()
    for window in (
        {"query_start": now + timedelta(hours=1), "query_end": None},
        {"query_start": None, "query_end": now},
        {"query_start": now - timedelta(hours=1), "query_end": now + timedelta(hours=1)},
    ):
        follower = Follower(messenger.bot, "balances")
        followers.append((follower, window))
        assert follower.first[0]
    messenger.result("add_order", **MARKET)
    for (follower, window), is_told in zip(followers, (False, False, True), strict=True):
        ServiceUser.objects.filter(pk=messenger.bot.service_user.pk).update(**window)
        lifecycle.touch(messenger.bot.service_user)
        assert bool(follower.rest()) is is_told


def test_nothing_is_told_of_the_account_next_door(messenger, world):
    eve = on_a_socket(world.bot("eve-bot"))
    follower = Follower(eve.bot, "balances")
    mine, theirs = (wallets(Follower(bot, "balances").first) for bot in (messenger.bot, eve.bot))
    assert mine != theirs
    messenger.result("add_order", **MARKET)
    assert follower.rest() == []


def test_orders_are_no_business_of_this_channel(messenger, account):
    assert balances.rows(OrderEvent(timezone.now(), None, None), balances.read({}), messenger.credential) == []  # type: ignore[arg-type]


def test_a_subscription_needs_what_balance_needs(messenger):
    held = messenger.credential.permissions - {"query-funds"}
    with pytest.raises(ApiError) as refused:
        balances.check(replace(messenger.credential, permissions=held), balances.read({}))
    assert refused.value.error is Error.PERMISSION_DENIED
    assert refused.value.facts == {"method": "balances", "needs": "Funds: Query"}
    balances.check(replace(messenger.credential, permissions=frozenset({"query-funds"})), balances.read({}))


def test_no_snapshot_is_told_to_whoever_wants_none(messenger):
    assert Follower(messenger.bot, "balances", snapshot=False).first == []
    options = balances.read({"snapshot": False, "users": "all", "rebased": True})
    assert balances.result(options, messenger.credential) == {"channel": "balances", "snapshot": False}


@pytest.mark.parametrize("params", [{"snapshot": 1}, {"snap_orders": True}, {"users": []}, {"rebased": 0}])
def test_what_is_not_an_option_is_refused(params):
    with pytest.raises(Refused):
        balances.read(params)
