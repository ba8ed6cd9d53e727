"""What an Account's orders traded at its exchange."""

from collections.abc import Sequence
from typing import Any, Final

from portal.venues.kraken.reading import catalogue, orders, shapes, snapshots, windows
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import OtherShape, Row
from portal.venues.kraken.reading.snapshots import Question
from portal.venues.types import OrderKind, Part, TradePage, TradeQuery, TradeRow

PERMISSION: Final = "query-closed-trades"


def page(account_id: int, query: TradeQuery) -> TradePage:
    """Fifty at most, newest first; only the newest page is kept. Raises: UnknownOrder; Unavailable."""
    fields: dict[str, Any] = {
        "without_count": True,
        **windows.bounds(query.after, query.until, query.after_id, query.until_id),
        **({"ofs": query.offset} if query.offset else {}),
        **({"ledgers": True} if query.with_ledgers else {}),
    }
    question = Question("TradesHistory", _rows, fields, permission=PERMISSION)
    if len(fields) == 1:
        rows = snapshots.kept(account_id, Part.TRADES, question)
    else:
        has_id = bool(query.after_id or query.until_id)
        rows = orders.known_place(account_id, Part.TRADES, question, has_id=has_id)
    return TradePage(windows.seen(_told(rows), lambda row: row.at, query.seen_from, query.seen_before), None)


def rows_of(account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
    """Those of these ids that the exchange has. Raises: Unavailable."""
    if not ids:
        return ()
    question = Question("QueryTrades", shapes.rows, {"txid": ",".join(ids)}, permission=PERMISSION)
    found = _told(snapshots.asked(account_id, Part.TRADES, question))
    return windows.seen(found, lambda row: row.at, query.seen_from, query.seen_before)


def _rows(answer: object) -> orders.Rows:
    found = shapes.rows(shapes.part_of(answer, "trades"))
    for name, row in found:
        _row(name, row, Names())
    return found


def _told(rows: orders.Rows) -> list[TradeRow]:
    names = catalogue.known()
    return sorted((_row(name, row, names) for name, row in rows), key=lambda row: row.at, reverse=True)


def _row(name: str, row: Row, names: Names) -> TradeRow:
    kind, said = orders.kind_of(row)
    ledgers = row.get("ledgers") or []
    if not isinstance(ledgers, list):
        raise OtherShape("no list of ledger rows")
    return TradeRow(
        id=name,
        number=shapes.whole(row, "trade_id", 0),
        order_id=shapes.text(row, "ordertxid", ""),
        pair=names.pair(shapes.text(row, "pair")),
        at=shapes.moment(row, "time"),
        side=orders.side_of(row),
        kind=kind,
        price=shapes.number(row, "price"),
        volume=shapes.number(row, "vol"),
        cost=shapes.number(row, "cost"),
        fee=shapes.number(row, "fee", "0"),
        is_maker=shapes.flag(row, "maker"),
        ledger_ids=tuple(shapes.short(each) for each in ledgers),
        said=said if kind is OrderKind.OTHER else "",
    )
