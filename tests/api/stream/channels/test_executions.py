"""What becomes of orders, as a socket is told: each order folds into what the next snapshot says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from portal.api import permissions
from portal.api.protocol.envelope import ApiError, Error
from portal.api.stream.channels import executions
from portal.api.stream.channels.public import Refused
from portal.venues.paper.orders import trading_counter
from portal.venues.registry import venue
from portal.venues.types import OpenQuery, OrderChange, OrderEvent, OrderStatus, TradeQuery
from tests.api.stream.channels.following import Follower, read
from tests.api.stream.conftest import on_a_socket
from tests.api.stream.messages import Raw
from tests.api.stream.trading.test_add_order import FAR, soon

pytestmark = pytest.mark.django_db

MARKET: dict[str, object] = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "order_qty": Raw("0.001")}


def narrow(bot, **settings) -> None:
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(**settings)
    lifecycle.touch(bot.service_user)


def kinds(frames):
    return [[row["exec_type"] for row in frame] for frame in frames]


def folded(frames):
    """A client's book of orders: each row put over what was known of its order."""
    orders: dict[str, dict[str, object]] = {}
    for frame in frames:
        for row in frame:
            if row["exec_type"] != "trade":
                orders.setdefault(row["order_id"], {}).update(row)
    return orders


def test_a_limit_order_is_pending_then_new_then_canceled(messenger):
    follower = Follower(messenger.bot, "executions")
    assert follower.first == [[]]
    placed = messenger.result("add_order", **FAR, order_userref=3, post_only=True, expire_time=soon(3600))
    messenger.result("cancel_order", order_id=[placed["order_id"]])
    frames = follower.rest()
    assert kinds(frames) == [["pending_new"], ["new"], ["canceled"]]
    (pending,), (new,), (canceled,) = frames
    named = {"order_id": placed["order_id"], "order_userref": 3, "symbol": "BTC/USD"}
    assert pending == {
        **named, "side": "buy", "order_type": "limit", "order_qty": Decimal("0.01"), "limit_price": 10000,
        "limit_price_type": "static", "time_in_force": "GTD", "expire_time": pending["expire_time"],
        "post_only": True, "fee_ccy_pref": "fciq", "exec_type": "pending_new", "order_status": "pending_new",
        "timestamp": pending["timestamp"], "cum_qty": 0, "cum_cost": 0, "avg_price": 0, "fee_usd_equiv": 0,
    }  # fmt: skip
    assert new == {**named, "exec_type": "new", "order_status": "new", "timestamp": pending["timestamp"]}
    assert canceled == {
        **named, "exec_type": "canceled", "order_status": "canceled", "timestamp": canceled["timestamp"],
        "cum_qty": 0, "cum_cost": 0, "avg_price": 0, "fee_usd_equiv": 0, "reason": "User requested",
    }  # fmt: skip
    at = datetime.strptime(canceled["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert timezone.now() - timedelta(seconds=60) < at <= timezone.now()


def test_a_filled_order_tells_its_trades_apart_from_its_end(messenger, trading):
    follower = Follower(messenger.bot, "executions")
    placed = messenger.result("add_order", **MARKET, cl_ord_id="mine-1")["order_id"]
    frames = follower.rest()
    history = trading.result("TradesHistory")["trades"]
    assert kinds(frames) == [["pending_new"], ["new"], *[["trade"]] * len(history), ["filled"]]
    trade = frames[-2][0]
    told = history[trade["exec_id"]]
    assert trade == {
        "order_id": placed, "cl_ord_id": "mine-1", "symbol": "BTC/USD", "exec_id": trade["exec_id"],
        "exec_type": "trade", "trade_id": told["trade_id"], "side": "buy", "order_type": "market",
        "last_qty": Decimal(told["vol"]), "last_price": Decimal(told["price"]), "cost": Decimal(told["cost"]),
        "liquidity_ind": "t", "fees": [{"asset": "USD", "qty": Decimal(told["fee"])}],
        "fee_usd_equiv": Decimal(told["fee"]), "order_status": "filled", "timestamp": trade["timestamp"],
        "cum_qty": Decimal("0.001"), "cum_cost": trade["cum_cost"], "avg_price": trade["avg_price"],
    }  # fmt: skip
    row = trading.result("QueryOrders", txid=placed)[placed]
    end = frames[-1][0]
    assert (end["order_status"], end["cum_qty"]) == ("filled", Decimal(row["vol_exec"]))
    assert (end["cum_cost"], end["avg_price"]) == (Decimal(row["cost"]), Decimal(row["price"]))
    assert "limit_price" not in frames[0][0]


def test_updates_fold_into_the_next_snapshot(messenger):
    messenger.result("add_order", **FAR, cl_ord_id="before")
    follower = Follower(messenger.bot, "executions")
    messenger.result("add_order", **FAR, order_userref=5)
    gone = messenger.result("add_order", **FAR)["order_id"]
    messenger.result("cancel_order", order_id=[gone])
    messenger.result("add_order", **MARKET)
    known = folded([*follower.first, *follower.rest()])
    is_open = {"new", "partially_filled"}
    still = {order_id: row for order_id, row in known.items() if row["order_status"] in is_open}
    (snapshot,) = Follower(messenger.bot, "executions").first
    assert {row["order_id"]: row for row in snapshot} == still
    assert [row["cl_ord_id"] for row in snapshot[:1]] == ["before"]


def test_the_last_trades_come_in_a_frame_of_their_own(messenger):
    messenger.result("add_order", **FAR)
    filled = [messenger.result("add_order", **MARKET)["order_id"] for _ in range(2)]
    orders, trades = Follower(messenger.bot, "executions", snap_trades=True).first
    assert kinds([orders]) == [["new"]]
    assert {row["exec_type"] for row in trades} == {"trade"}
    assert list(dict.fromkeys(row["order_id"] for row in trades)) == filled
    assert {row["order_status"] for row in trades} == {"filled"}
    (only,) = Follower(messenger.bot, "executions", snap_trades=True, snap_orders=False).first
    assert only == trades


def test_there_is_no_snapshot_for_whoever_wants_none(messenger):
    messenger.result("add_order", **FAR)
    assert Follower(messenger.bot, "executions", snap_orders=False).first == []
    assert Follower(messenger.bot, "executions", snapshot=False).first == []
    assert Follower(messenger.bot, "executions", snapshot=False, snap_trades=True).first == [[]]
    assert len(Follower(messenger.bot, "executions", snapshot=False, snap_orders=True).first[0]) == 1


def test_without_order_status_only_beginnings_and_ends_are_told(messenger):
    follower = Follower(messenger.bot, "executions", order_status=False)
    placed = messenger.result("add_order", **FAR)["order_id"]
    messenger.result("cancel_order", order_id=[placed])
    messenger.result("add_order", **MARKET)
    assert kinds(follower.rest()) == [["new"], ["canceled"], ["new"], ["filled"]]


def an_order(messenger, account):
    messenger.result("add_order", **FAR)
    (row,) = venue(account.venue).open_orders(account.pk, OpenQuery())
    return row


def test_an_order_that_ended_by_the_clock_is_expired(messenger, account):
    row = replace(an_order(messenger, account), status=OrderStatus.EXPIRED, reason="Order expired")
    options = executions.read({})
    ((told,),) = executions.rows(OrderEvent(timezone.now(), OrderChange.EXPIRED, row), options, messenger.credential)
    assert (told["exec_type"], told["order_status"], told["reason"]) == ("expired", "expired", "Order expired")


def test_a_part_that_was_filled_leaves_the_order_open(messenger, account):
    options = executions.read({})
    follower = Follower(messenger.bot, "executions", snap_orders=False, snap_trades=True)
    messenger.result("add_order", **MARKET)
    (trade, *_) = venue(account.venue).trades(account.pk, query_of_all()).rows
    part = replace(an_order(messenger, account), filled_volume=Decimal("0.004"))
    event = OrderEvent(trade.at, OrderChange.TRADE, part, replace(trade, order_id=part.id, is_maker=True))
    credential = replace(follower.credential, query_start=None)
    ((told,),) = [read(frame) for frame in executions.rows(event, options, credential)]
    assert (told["order_status"], told["liquidity_ind"]) == ("partially_filled", "m")
    assert told["cum_qty"] == Decimal("0.004")
    assert executions.rows(event, executions.read({"order_status": False}), credential) == []


def query_of_all():
    return TradeQuery(with_count=False)


def test_a_fee_that_was_not_paid_in_dollars_is_not_said_to_be_dollars(messenger):
    follower = Follower(messenger.bot, "executions")
    messenger.result("add_order", **{**MARKET, "symbol": "BTC/EUR"})
    frames = follower.rest()
    (trade,) = [row for frame in frames for row in frame if row["exec_type"] == "trade"][:1]
    assert [fee["asset"] for fee in trade["fees"]] == ["EUR"]
    assert not [row for frame in frames for row in frame if "fee_usd_equiv" in row]


def test_the_query_window_bounds_what_is_told(messenger):
    """DESIGN K4: as in the histories, an order by when it was opened and a trade by its own time."""
    placed = messenger.result("add_order", **FAR)["order_id"]
    now = timezone.now()
    narrow(messenger.bot, query_start=now + timedelta(hours=1))
    later = Follower(messenger.bot, "executions", snap_trades=True)
    narrow(messenger.bot, query_start=None, query_end=now - timedelta(hours=1))
    earlier = Follower(messenger.bot, "executions", snap_trades=True)
    narrow(messenger.bot, query_start=now - timedelta(hours=1), query_end=now + timedelta(hours=1))
    within = Follower(messenger.bot, "executions", snap_trades=True)
    messenger.result("cancel_order", order_id=[placed])
    messenger.result("add_order", **MARKET)
    assert kinds(within.first) == [["new"]]
    assert kinds(within.rest())[:2] == [["canceled"], ["pending_new"]]
    for follower, window in (
        (later, {"query_start": now + timedelta(hours=1), "query_end": None}),
        (earlier, {"query_start": None, "query_end": now - timedelta(hours=1)}),
    ):
        narrow(messenger.bot, **window)
        assert follower.first == [[]]
        assert follower.rest() == []


def test_a_trade_of_an_order_older_than_the_window_names_it_and_says_no_more_of_it(messenger, account):
    messenger.result("add_order", **MARKET)
    (trade, *_) = venue(account.venue).trades(account.pk, query_of_all()).rows
    order = replace(an_order(messenger, account), opened_at=trade.at - timedelta(days=1), cl_ord_id="mine")
    event = OrderEvent(trade.at, OrderChange.TRADE, replace(order, status=OrderStatus.CLOSED), trade)
    credential = replace(messenger.credential, query_start=trade.at)
    ((told,),) = executions.rows(event, executions.read({}), credential)
    assert (told["exec_type"], told["order_id"]) == ("trade", trade.order_id)
    assert not {"cl_ord_id", "order_status", "cum_qty", "avg_price"} & told.keys()
    assert executions.rows(event, executions.read({}), replace(credential, query_end=trade.at)) == []


def test_nothing_is_told_of_the_account_next_door(messenger, world):
    eve = on_a_socket(world.bot("eve-bot"))
    follower = Follower(eve.bot, "executions", snap_trades=True)
    messenger.result("add_order", **FAR)
    messenger.result("add_order", **MARKET)
    assert follower.rest() == []
    assert Follower(eve.bot, "executions", snap_trades=True).first == [[]]


@pytest.mark.parametrize(
    ("options", "needed"),
    [({}, {"query-open-trades"}), ({"snap_trades": True}, {"query-open-trades", "query-closed-trades"})],
)
def test_a_subscription_needs_what_the_same_questions_need(messenger, options, needed):
    read_options = executions.read(options)
    for permission in needed:
        held = messenger.credential.permissions - {permission}
        with pytest.raises(ApiError) as refused:
            executions.check(replace(messenger.credential, permissions=held), read_options)
        assert refused.value.error is Error.PERMISSION_DENIED
        assert refused.value.facts["method"].startswith("executions")
        assert refused.value.facts["needs"].startswith("Orders and trades: Query")
    executions.check(replace(messenger.credential, permissions=frozenset(needed)), read_options)


def test_every_private_channel_stands_beside_a_method_that_there_is():
    assert set(permissions.CHANNELS.values()) <= permissions.PERMISSIONS.keys()


def test_the_acknowledgement_says_what_counts(messenger):
    for tier, limits in trading_counter.LIMITS.items():
        told = executions.result(executions.read({}), replace(messenger.credential, tier=tier))
        highest = executions.HIGHEST_RATE_COUNT
        assert told == {
            "channel": "executions", "snapshot": True, "snap_orders": True, "snap_trades": False, "order_status": True,
            "maxratecount": highest if limits.threshold is None else limits.threshold // trading_counter.THOUSAND,
        }  # fmt: skip
    asked = executions.read({"ratecounter": True, "snapshot": False, "snap_trades": True, "rebased": False})
    told = executions.result(asked, messenger.credential)
    assert (told["snapshot"], told["snap_trades"], told["warnings"]) == (False, True, [executions.NO_COUNTER])


@pytest.mark.parametrize(
    "params",
    [
        {"symbol": ["BTC/USD"]}, {"snap_orders": "true"}, {"snap_trades": 1}, {"order_status": None},
        {"ratecounter": []}, {"snapshot": {}}, {"rebased": "no"}, {"users": "me"}, {"users": True}, {"depth": 10},
        {"\ud800": True},
    ],
)  # fmt: skip
def test_what_is_not_an_option_is_refused(params):
    with pytest.raises(Refused):
        executions.read(params)
