"""An Account's orders at its exchange. Of a kind that only the exchange knows its own words are told."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from portal.venues.errors import UnknownOrder
from portal.venues.kraken.reading import catalogue, shapes, snapshots, windows
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import OtherShape, Row
from portal.venues.kraken.reading.snapshots import NotAnswered, Question
from portal.venues.kraken.upstream.outcomes import Meaning, meaning
from portal.venues.types import (
    ClosedQuery,
    OpenQuery,
    OrderKind,
    OrderPage,
    OrderRow,
    OrderStatus,
    Part,
    Side,
    TimeInForce,
)

OPEN: Final = "query-open-trades"
CLOSED: Final = "query-closed-trades"
NO_ORDER: Final = "The exchange has no such order of this Account."
Rows = list[tuple[str, Row]]


def open_orders(account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
    """Newest first. Raises: Unavailable."""
    question = Question("OpenOrders", _open_rows, permission=OPEN)
    if query.with_trades:
        rows = snapshots.asked(account_id, Part.OPEN_ORDERS, replace(question, fields={"trades": True}))
    else:
        rows = snapshots.kept(account_id, Part.OPEN_ORDERS, question)
    found = [
        row for row in _told(rows) if query.userref in (None, row.userref) and query.cl_ord_id in (None, row.cl_ord_id)
    ]
    return windows.seen(found, lambda row: row.opened_at, query.seen_from, query.seen_before)


def closed_orders(account_id: int, query: ClosedQuery) -> OrderPage:
    """Fifty at most, newest first by when they closed; only the newest page is kept.

    Raises: UnknownOrder; Unavailable.
    """
    fields: dict[str, Any] = {
        "without_count": True,
        **({"userref": query.userref} if query.userref is not None else {}),
        **({"cl_ord_id": query.cl_ord_id} if query.cl_ord_id is not None else {}),
        **windows.bounds(query.after, query.until, query.after_id, query.until_id),
        **({"ofs": query.offset} if query.offset else {}),
        **({"trades": True} if query.with_trades else {}),
    }
    question = Question("ClosedOrders", _closed_rows, fields, permission=CLOSED)
    if len(fields) == 1:
        rows = snapshots.kept(account_id, Part.CLOSED_ORDERS, question)
    else:
        asked = replace(question, fields={**fields, "closetime": query.close_time.value})
        rows = known_place(account_id, Part.CLOSED_ORDERS, asked, has_id=bool(query.after_id or query.until_id))
    found = sorted(_told(rows), key=lambda row: row.closed_at or row.opened_at, reverse=True)
    return OrderPage(windows.seen(found, lambda row: row.opened_at, query.seen_from, query.seen_before), None)


def orders(account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
    """Those of these ids that the exchange has. Raises: Unavailable."""
    if not ids:
        return ()
    question = Question("QueryOrders", shapes.rows, {"txid": ",".join(ids), "trades": query.with_trades}, OPEN)
    found = _told(snapshots.asked(account_id, Part.OPEN_ORDERS, question))
    return windows.seen(found, lambda row: row.opened_at, query.seen_from, query.seen_before)


def known_place(account_id: int, part: Part, question: Question[Rows], *, has_id: bool) -> Rows:
    """Another page, from a place that may be an id. Raises: UnknownOrder if the exchange does not know it."""
    try:
        return snapshots.asked(account_id, part, question)
    except NotAnswered as error:
        if has_id and meaning(error.errors) is Meaning.REFUSED:
            raise UnknownOrder(NO_ORDER) from error
        raise


def kind_of(row: Row) -> tuple[OrderKind, str]:
    """What kind an order is, and what the exchange calls it."""
    said = shapes.text(row, "ordertype", "")
    return next((kind for kind in (OrderKind.MARKET, OrderKind.LIMIT) if kind == said), OrderKind.OTHER), said


def side_of(row: Row) -> Side:
    """Raises: OtherShape for what is neither."""
    said = shapes.text(row, "type")
    if said not in set(Side):
        raise OtherShape("neither bought nor sold")
    return Side(said)


def _open_rows(answer: object) -> Rows:
    return _checked(shapes.part_of(answer, "open"))


def _closed_rows(answer: object) -> Rows:
    return _checked(shapes.part_of(answer, "closed"))


def _checked(value: object) -> Rows:
    found = shapes.rows(value)
    for name, row in found:
        _row(name, row, Names())
    return found


def _told(rows: Rows) -> list[OrderRow]:
    names = catalogue.known()
    return sorted((_row(name, row, names) for name, row in rows), key=lambda row: row.opened_at, reverse=True)


def _row(name: str, row: Row, names: Names) -> OrderRow:
    about = shapes.mapping(shapes.part_of(row, "descr"))
    kind, called = kind_of(about)
    closed_at = shapes.moment_or_none(row, "closetm")
    status = _status(shapes.text(row, "status"), is_closed=closed_at is not None)
    flags = shapes.text(row, "oflags", "").split(",")
    expires_at = shapes.moment_or_none(row, "expiretm")
    trades = row.get("trades") or []
    if not isinstance(trades, list):
        raise OtherShape("no list of trades")
    return OrderRow(
        id=name,
        pair=names.pair(shapes.text(about, "pair")),
        side=side_of(about),
        kind=kind,
        status=status,
        reason=shapes.text(row, "reason", ""),
        time_in_force=TimeInForce.GTD if expires_at else TimeInForce.GTC,
        is_post_only="post" in flags,
        userref=shapes.whole(row, "userref") if row.get("userref") is not None else None,
        cl_ord_id=shapes.text(row, "cl_ord_id", "") or None,
        opened_at=shapes.moment(row, "opentm"),
        closed_at=closed_at,
        expires_at=expires_at,
        # A trailing order says how far it trails in its place, `+1.0000%`; its words have that.
        price=shapes.number(about, "price", "0") if kind is not OrderKind.OTHER else Decimal(0),
        volume=shapes.number(row, "vol"),
        filled_volume=shapes.number(row, "vol_exec", "0"),
        cost=shapes.number(row, "cost", "0"),
        fee=shapes.number(row, "fee", "0"),
        average_price=shapes.number(row, "price", "0"),
        trades=tuple(shapes.short(trade) for trade in trades),
        said=shapes.text(about, "order", called),
    )


def _status(said: str, *, is_closed: bool) -> OrderStatus:
    """As the exchange says it; for a word that nobody knows, whether it has an end."""
    known = {status.value: status for status in OrderStatus}
    return known.get(said, OrderStatus.CLOSED if is_closed else OrderStatus.OPEN)
