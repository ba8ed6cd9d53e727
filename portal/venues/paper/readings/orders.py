"""Open orders of an Account, and orders by their ids."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from portal.core.database.reading import BEFORE, Question, Reading, Rows
from portal.venues.paper import catalogue, due
from portal.venues.paper.readings.pages import standing
from portal.venues.types import OpenQuery, ToldOrder

# The average price is of what trades moved: of a rounded cost it would be a price that never was (`orders.rows`).
COLUMNS: Final = """
    SELECT o.txid, o.pair, o.side, o.kind, o.status, o.reason, o.is_post_only, o.userref, o.cl_ord_id,
        o.opened_at, o.closed_at, o.expires_at, coalesce(o.price_units, 0), o.volume_units, o.filled_units,
        o.cost_units, o.fee_units,
        CASE WHEN o.filled_units > 0 THEN (
            SELECT sum(t.price_units::numeric * t.volume_units) FROM paper_trade AS t WHERE t.order_id = o.id
        ) END AS turnover, o.id
"""
# Each by its id, for which there is one way only: a plan that a session made when there were few orders stays good.
BY_ID: Final = """
    FROM unnest(%(ids)s::text[]) AS wanted (txid)
    CROSS JOIN LATERAL (SELECT * FROM paper_order AS found WHERE found.txid = wanted.txid OFFSET 0) AS o
    WHERE o.account_id = %(account)s
"""
NEWEST_FIRST: Final = "asked.opened_at DESC, asked.id DESC"
OPEN: Final = Question(
    due.IS_DUE,
    f"{COLUMNS} FROM paper_order AS o WHERE o.account_id = %(account)s AND o.status = 'open'",
    NEWEST_FIRST,
)
NAMED: Final = Question(due.IS_DUE, f"{COLUMNS} {BY_ID}", NEWEST_FIRST)
# Most ask for one, which takes no list of ids.
ONE: Final = Question(
    due.IS_DUE, f"{COLUMNS} FROM paper_order AS o WHERE o.txid = %(txid)s AND o.account_id = %(account)s", ""
)


def open_orders(account_id: int, query: OpenQuery) -> Reading[list[ToldOrder]] | None:
    """See Trading.reading_of_open_orders."""
    return Reading(OPEN, standing(account_id), _told) if _is_plain(query) else None


def named(account_id: int, ids: Sequence[str], query: OpenQuery) -> Reading[list[ToldOrder]] | None:
    """See Trading.reading_of_orders."""
    if not _is_plain(query):
        return None
    parameters = standing(account_id)
    if len(ids) == 1:
        parameters["txid"] = ids[0]
        return Reading(ONE, parameters, _told)
    parameters["ids"] = list(dict.fromkeys(ids))
    return Reading(NAMED, parameters, _told)


def _is_plain(query: OpenQuery) -> bool:
    """Whether every order is told as it stands, without its trades."""
    is_narrowed = query.userref is not None or query.cl_ord_id is not None
    is_windowed = query.seen_from is not None or query.seen_before is not None
    return not (is_narrowed or is_windowed or query.with_trades)


def _told(rows: Rows) -> list[ToldOrder]:
    return [_order(row[BEFORE:]) for row in rows]


@lru_cache(maxsize=4096)
def _order(row: tuple[Any, ...]) -> ToldOrder:
    (
        txid, name, side, kind, status, reason, is_post_only, userref, cl_ord_id, opened_at, closed_at, expires_at,
        price, volume, filled, cost, fee, turnover, _,
    ) = row  # fmt: skip
    pair = catalogue.PAIR_BY_ID[name]
    return ToldOrder(
        txid, pair, side, kind, status, reason, is_post_only, userref, cl_ord_id, opened_at, closed_at, expires_at,
        price, volume, filled, catalogue.cost_places(pair, cost), catalogue.cost_places(pair, fee),
        _average(int(turnover or 0), filled) if filled else 0,
    )  # fmt: skip


def _average(turnover: int, filled: int) -> int:
    """To the nearest, and from the middle to the even one."""
    whole, rest = divmod(turnover, filled)
    return whole + (rest * 2 > filled or (rest * 2 == filled and whole % 2))
