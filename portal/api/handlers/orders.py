"""Orders and trades as they stand (reference §9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from accounts.models.service_user import Permission
from portal.api.call import Caller
from portal.api.handlers.newest_pages import Listed, NewestPages, sees_everything
from portal.api.protocol.envelope import JSON, ApiError, Error
from portal.api.protocol.instants import Bound
from portal.api.protocol.order_words import order_row, order_text, told_trade, trade_row
from portal.api.protocol.parameter_types import CLIENT_ID, USERREF, Choice, Flag, Names, Text, Whole
from portal.api.protocol.parameters import absent, needed, optional
from portal.core.database.reading import Reading
from portal.venues.types import (
    ClosedQuery,
    CloseTime,
    OpenQuery,
    OrderRow,
    OrderStatus,
    ToldOrder,
    TradeQuery,
    TradeRow,
)

MAX_OFFSET: Final = 1_000_000
MAX_ORDERS: Final = 50
MAX_TRADES: Final = 20
POSITIONS: Final = ("any position", "closed position", "closing position")
OFFSET: Final = Whole(0, MAX_OFFSET)
START: Final = "Those after this; exclusive."
END: Final = "Those until this; inclusive."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrders:
    trades: bool = optional(Flag(), default=False, text="Name the trades of each order.")
    userref: int | None = absent(USERREF, "Only orders of this number.")
    cl_ord_id: str | None = absent(CLIENT_ID, "Only the order of this id.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedOrders:
    trades: bool = optional(Flag(), default=False, text="Name the trades of each order.")
    userref: int | None = absent(USERREF, "Only orders of this number.")
    cl_ord_id: str | None = absent(CLIENT_ID, "Only the orders of this id.")
    start: datetime | str | None = absent(Bound(), START)
    end: datetime | str | None = absent(Bound(), END)
    ofs: int = optional(OFFSET, 0, "How many orders to skip.")
    closetime: str = optional(Choice(("open", "close", "both")), "both", "Which time `start` and `end` bound.")
    without_count: bool = optional(Flag(), default=False, text="Leave `count` out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOrders:
    txid: tuple[str, ...] = needed(Names(most=MAX_ORDERS), "Up to fifty ids of orders.")
    trades: bool = optional(Flag(), default=False, text="Name the trades of each order.")
    userref: int | None = absent(USERREF, "Only orders of this number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesHistory:
    kind: str = optional(Choice(("all", "no position", *POSITIONS)), "all", "Only trades of this kind.", name="type")
    start: datetime | str | None = absent(Bound(), START)
    end: datetime | str | None = absent(Bound(), END)
    ofs: int = optional(OFFSET, 0, "How many trades to skip.")
    without_count: bool = optional(Flag(), default=False, text="Leave `count` out.")
    ledgers: bool = optional(Flag(), default=False, text="Name the ledger entries of each trade.")


# Whoever has both sees every order.
EITHER: Final = frozenset({Permission.QUERY_OPEN.value, Permission.QUERY_CLOSED.value})
EVERYTHING: Final = TradesHistory()
NEWEST: Final = NewestPages(told_trade)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTrades:
    txid: tuple[str, ...] = needed(Names(most=MAX_TRADES), "Up to twenty ids of trades.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPositions:
    txid: tuple[str, ...] = optional(Names(), (), "Only these positions.")
    consolidation: str | None = absent(Text(longest=20), "`market` asks for a list, by pair.")


def open_orders(caller: Caller, parameters: OpenOrders) -> JSON:
    """Every open order, newest first."""
    rows = caller.venue.open_orders(
        caller.account_id,
        _query(caller, parameters.userref, parameters.cl_ord_id, with_trades=parameters.trades),
    )
    return {"open": _orders(rows, with_trades=parameters.trades)}


def read_open_orders(caller: Caller, parameters: OpenOrders) -> Reading[Sequence[ToldOrder]] | None:
    """The same, to be read along with the nonce."""
    query = _query(caller, parameters.userref, parameters.cl_ord_id, with_trades=parameters.trades)
    return caller.venue.reading_of_open_orders(caller.account_id, query)


def shown_open_orders(parameters: OpenOrders, rows: Sequence[ToldOrder]) -> JSON:
    """The same of orders that are there."""
    return {"open": {row.id: order_text(row) for row in rows}}


def closed_orders(caller: Caller, parameters: ClosedOrders) -> JSON:
    """Fifty orders no longer open, newest first, inside the key's query window.

    Raises: ApiError for a bound that is neither a time nor an order the key may see.
    """
    page = caller.venue.closed_orders(
        caller.account_id,
        ClosedQuery(
            userref=parameters.userref,
            cl_ord_id=parameters.cl_ord_id,
            after=_time(parameters.start),
            until=_time(parameters.end),
            after_id=_order_id(caller, parameters.start),
            until_id=_order_id(caller, parameters.end),
            close_time=CloseTime(parameters.closetime),
            offset=parameters.ofs,
            with_count=not parameters.without_count,
            with_trades=parameters.trades,
            seen_from=caller.credential.query_start,
            seen_before=caller.credential.query_end,
        ),
    )
    return _counted("closed", _orders(page.rows, with_trades=parameters.trades), page.count)


def query_orders(caller: Caller, parameters: QueryOrders) -> JSON:
    """The orders of up to fifty ids. What the key may not see is left out, as what does not exist."""
    query = _query(caller, parameters.userref, None, with_trades=parameters.trades)
    rows = caller.venue.orders(caller.account_id, parameters.txid, query)
    return _orders([row for row in rows if _may_see(caller, row)], with_trades=parameters.trades)


def read_orders(caller: Caller, parameters: QueryOrders) -> Reading[Sequence[ToldOrder]] | None:
    """The same, to be read along with the nonce."""
    query = _query(caller, parameters.userref, None, with_trades=parameters.trades)
    found = caller.venue.reading_of_orders(caller.account_id, parameters.txid, query)
    if found is None or caller.credential.permissions >= EITHER:
        return found
    return found.then(lambda rows: [row for row in rows if _may_see(caller, row)])


def shown_orders(parameters: QueryOrders, rows: Sequence[ToldOrder]) -> JSON:
    """The same of orders that are there."""
    return {row.id: order_text(row) for row in rows}


def trades_history(caller: Caller, parameters: TradesHistory) -> JSON:
    """Fifty trades, newest first, inside the key's query window. None belongs to a position.

    Raises: ApiError for a bound that is neither a time nor a trade the key may see.
    """
    if parameters.kind in POSITIONS:
        return _counted("trades", {}, None if parameters.without_count else 0)
    query = replace(
        _trade_query(caller, parameters),
        after_id=_trade_id(caller, parameters.start),
        until_id=_trade_id(caller, parameters.end),
    )
    page = caller.venue.trades(caller.account_id, query)
    rows: dict[str, JSON] = {row.id: trade_row(row, with_ledgers=parameters.ledgers) for row in page.rows}
    return _counted("trades", rows, page.count)


def read_trades(caller: Caller, parameters: TradesHistory) -> Reading[Listed | None] | None:
    """The same, to be read along with the nonce, where no bound names a trade."""
    if parameters == EVERYTHING and sees_everything(caller):
        return NEWEST.reading(caller.account_id, caller.venue.reading_of_newest_trades)
    if parameters.kind in POSITIONS or isinstance(parameters.start, str) or isinstance(parameters.end, str):
        return None
    reading = caller.venue.reading_of_trades(caller.account_id, _trade_query(caller, parameters))
    return None if reading is None else reading.then(NEWEST.listed)


def shown_trades(parameters: TradesHistory, listed: Listed) -> JSON:
    """The same of trades that are there."""
    return _counted("trades", listed.rows, None if parameters.without_count else listed.total)


def query_trades(caller: Caller, parameters: QueryTrades) -> JSON:
    """The trades of up to twenty ids. What the key may not see is left out, as what does not exist."""
    return {row.id: trade_row(row, with_ledgers=True) for row in _seen_trades(caller, parameters.txid)}


def open_positions(caller: Caller, parameters: OpenPositions) -> JSON:
    """There is no margin here, so there are none."""
    return [] if parameters.consolidation == "market" else {}


def _query(caller: Caller, userref: int | None, cl_ord_id: str | None, *, with_trades: bool) -> OpenQuery:
    return OpenQuery(
        userref=userref,
        cl_ord_id=cl_ord_id,
        with_trades=with_trades,
        seen_from=caller.credential.query_start,
        seen_before=caller.credential.query_end,
    )


def _trade_query(caller: Caller, parameters: TradesHistory) -> TradeQuery:
    return TradeQuery(
        after=_time(parameters.start),
        until=_time(parameters.end),
        offset=parameters.ofs,
        with_count=not parameters.without_count,
        with_ledgers=parameters.ledgers,
        seen_from=caller.credential.query_start,
        seen_before=caller.credential.query_end,
    )


def _may_see(caller: Caller, row: OrderRow | ToldOrder) -> bool:
    """Open orders and closed ones have a permission each, and either opens the method."""
    needed = Permission.QUERY_OPEN if row.status == OrderStatus.OPEN else Permission.QUERY_CLOSED
    return needed.value in caller.credential.permissions


def _time(bound: datetime | str | None) -> datetime | None:
    return bound if isinstance(bound, datetime) else None


def _order_id(caller: Caller, bound: datetime | str | None) -> str:
    """The order that a bound names. Raises: ApiError for one that the key sees nothing of."""
    if not isinstance(bound, str):
        return ""
    rows = caller.venue.orders(caller.account_id, [bound], _query(caller, None, None, with_trades=False))
    return rows[0].id if rows else _unknown()


def _trade_id(caller: Caller, bound: datetime | str | None) -> str:
    """The trade that a bound names. Raises: ApiError for one that the key sees nothing of."""
    if not isinstance(bound, str):
        return ""
    rows = _seen_trades(caller, [bound])
    return rows[0].id if rows else _unknown()


def _seen_trades(caller: Caller, ids: Sequence[str]) -> Sequence[TradeRow]:
    query = TradeQuery(
        with_ledgers=True, seen_from=caller.credential.query_start, seen_before=caller.credential.query_end
    )
    return caller.venue.trade_rows(caller.account_id, ids, query)


def _unknown() -> str:
    raise ApiError(Error.INVALID_ARGUMENTS)


def _orders(rows: Sequence[OrderRow], *, with_trades: bool) -> dict[str, JSON]:
    return {row.id: order_row(row, with_trades=with_trades) for row in rows}


def _counted(name: str, rows: JSON, count: int | None) -> JSON:
    return {name: rows} if count is None else {name: rows, "count": count}
