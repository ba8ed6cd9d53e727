"""The channel `executions`: what becomes of orders, and their trades (reference §13, §17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.api_keys.lifecycle import Credential
from accounts.models.organization import ApiTier
from portal.api.stream.channels import private
from portal.api.stream.channels.private import Frames, Row
from portal.api.stream.channels.public import Parameters, flag, symbol_of
from portal.api.stream.numbers import at, number
from portal.venues.protocol import Venue
from portal.venues.types import (
    Event,
    OpenQuery,
    OrderChange,
    OrderEvent,
    OrderKind,
    OrderRow,
    OrderStatus,
    TradeQuery,
    TradeRow,
)

PENDING_NEW: Final = "pending_new"
NEW: Final = "new"
PARTIALLY_FILLED: Final = "partially_filled"
FILLED: Final = "filled"
ENDS: Final = {OrderChange.CANCELED: "canceled", OrderChange.EXPIRED: "expired"}
STATUSES: Final = {
    OrderStatus.CLOSED: FILLED,
    OrderStatus.CANCELED: ENDS[OrderChange.CANCELED],
    OrderStatus.EXPIRED: ENDS[OrderChange.EXPIRED],
}
# All that is told of an order to whoever asks for no other changes of its status.
TRANSITIONS: Final = frozenset({NEW, FILLED, *ENDS.values()})
# Where each tier's trading counter of a pair stands when orders are refused (reference §5).
MAX_RATE_COUNTS: Final = {ApiTier.STARTER.value: 60, ApiTier.INTERMEDIATE.value: 125, ApiTier.PRO.value: 180}
HIGHEST_RATE_COUNT: Final = max(MAX_RATE_COUNTS.values())
NO_COUNTER: Final = "ratecounter is not told here"


@dataclass(frozen=True, slots=True)
class Options:
    """What to be told of, first and then."""

    snap_orders: bool
    snap_trades: bool
    order_status: bool
    ratecounter: bool


def read(params: Parameters, method: str = "subscribe") -> Options:
    """`snapshot` is an older word for `snap_orders`. Raises: Refused."""
    private.allow(params, method, "snap_orders", "snap_trades", "order_status", "ratecounter")
    return Options(
        snap_orders=flag(params, "snap_orders", default=flag(params, "snapshot", default=True)),
        snap_trades=flag(params, "snap_trades", default=False),
        order_status=flag(params, "order_status", default=True),
        ratecounter=flag(params, "ratecounter", default=False),
    )


def check(credential: Credential, options: Options) -> None:
    """Trades of the past are in the snapshot for whoever may ask for them. Raises: ApiError."""
    private.check(credential, "executions", *(["executions with snap_trades"] if options.snap_trades else []))


def result(options: Options, credential: Credential) -> Row:
    """In the words of the exchange and in older ones."""
    return {
        "channel": "executions",
        "snapshot": options.snap_orders,
        "snap_orders": options.snap_orders,
        "snap_trades": options.snap_trades,
        "order_status": options.order_status,
        "maxratecount": MAX_RATE_COUNTS.get(credential.tier, HIGHEST_RATE_COUNT),
        **({"warnings": [NO_COUNTER]} if options.ratecounter else {}),
    }


def snapshot(venue: Venue, credential: Credential, options: Options) -> Frames:
    """Open orders, oldest first, and the last fifty trades, in a frame of their own; one without rows if neither."""
    frames: Frames = []
    seen = OpenQuery(seen_from=credential.query_start, seen_before=credential.query_end)
    if options.snap_orders:
        found = venue.open_orders(credential.account_id, seen)
        frames.append([_whole(row, row.opened_at, NEW, _status(row)) for row in reversed(found)])
    if options.snap_trades:
        query = TradeQuery(with_count=False, seen_from=credential.query_start, seen_before=credential.query_end)
        trades = venue.trades(credential.account_id, query).rows
        ids = list(dict.fromkeys(trade.order_id for trade in trades))
        orders = {row.id: row for row in venue.orders(credential.account_id, ids, seen)}
        if trades or not frames:
            frames.append([_trade(trade, orders.get(trade.order_id)) for trade in reversed(trades)])
    return frames


def rows(event: Event, options: Options, credential: Credential) -> Frames:
    """Each row in a frame of its own: what tells of a trade is not mixed with what tells of an order."""
    if not isinstance(event, OrderEvent) or not private.is_seen(credential, event.at):
        return []
    # As the histories have it: an order is seen by when it was opened, a trade of it by its own time.
    is_order_seen = private.is_seen(credential, event.order.opened_at)
    told: list[Row] = []
    if event.trade is not None:
        told.append(
            {**_trade(event.trade, event.order), **_sums(event.order)} if is_order_seen else _trade(event.trade, None)
        )
    if is_order_seen:
        told += _changes(event)
    return [[row] for row in told if options.order_status or row["exec_type"] in TRANSITIONS]


def _changes(event: OrderEvent) -> list[Row]:
    order = event.order
    if event.change is OrderChange.NEW:
        return [_whole(order, event.at, PENDING_NEW, PENDING_NEW), _brief(order, event.at, NEW)]
    if event.change is OrderChange.TRADE:
        # The last trade closes its order: there is no other event of that.
        is_filled = order.status is OrderStatus.CLOSED
        return [{**_brief(order, event.at, FILLED), **_sums(order)}] if is_filled else []
    return [{**_brief(order, event.at, ENDS[event.change]), **_sums(order), "reason": order.reason}]


def _status(order: OrderRow) -> str:
    return STATUSES.get(order.status, PARTIALLY_FILLED if order.filled_volume else NEW)


def _named(order: OrderRow) -> Row:
    """The order's ids. `symbol` is in every row: clients find orders by it (reference §13)."""
    return {
        "order_id": order.id,
        **({} if order.userref is None else {"order_userref": order.userref}),
        **({} if order.cl_ord_id is None else {"cl_ord_id": order.cl_ord_id}),
        "symbol": symbol_of(order.pair),
    }


def _brief(order: OrderRow, when: datetime, word: str) -> Row:
    return {**_named(order), "exec_type": word, "order_status": word, "timestamp": at(when)}


def _whole(order: OrderRow, when: datetime, exec_type: str, status: str) -> Row:
    is_limit = order.kind is OrderKind.LIMIT
    return {
        **_named(order),
        "side": order.side.value,
        "order_type": order.kind.value,
        "order_qty": number(order.volume),
        **({"limit_price": number(order.price), "limit_price_type": "static"} if is_limit else {}),
        "time_in_force": order.time_in_force.value,
        **({"expire_time": at(order.expires_at)} if order.expires_at else {}),
        **({"post_only": True} if order.is_post_only else {}),
        "fee_ccy_pref": "fciq",
        "exec_type": exec_type,
        "order_status": status,
        "timestamp": at(when),
        **_sums(order),
    }


def _sums(order: OrderRow) -> Row:
    """What was filled so far. What a fee is worth in dollars is only said where it was paid in them."""
    return {
        "cum_qty": number(order.filled_volume),
        "cum_cost": number(order.cost),
        "avg_price": number(order.average_price),
        **({"fee_usd_equiv": number(order.fee)} if order.pair.quote.code == "USD" else {}),
    }


def _trade(trade: TradeRow, order: OrderRow | None) -> Row:
    """A trade; of its order only what the key sees."""
    quote = trade.pair.quote.code
    is_filled = order is not None and order.status is OrderStatus.CLOSED
    return {
        **({"order_id": trade.order_id, "symbol": symbol_of(trade.pair)} if order is None else _named(order)),
        "exec_id": trade.id,
        "exec_type": "trade",
        "trade_id": trade.number,
        "side": trade.side.value,
        "order_type": trade.kind.value,
        "last_qty": number(trade.volume),
        "last_price": number(trade.price),
        "cost": number(trade.cost),
        "liquidity_ind": "m" if trade.is_maker else "t",
        "fees": [{"asset": quote, "qty": number(trade.fee)}],
        **({"fee_usd_equiv": number(trade.fee)} if quote == "USD" else {}),
        **({} if order is None else {"order_status": FILLED if is_filled else PARTIALLY_FILLED}),
        "timestamp": at(trade.at),
    }
