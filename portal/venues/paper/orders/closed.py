"""Which closed orders a query asks for: by when they closed and when they opened, counted without being read.

Orders stand in their list by when they closed. A bound on when they opened is one on that too, but for the orders that
were open at that instant: these are few, however long the list is, since an Account has few open orders at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portal.core.database.at_hand import hand
from portal.core.database.prepared import fetch
from portal.core.database.prepared import instant as as_instant
from portal.venues.paper.ranks import pages
from portal.venues.paper.ranks.models import SPANS, Ranked
from portal.venues.paper.ranks.pages import ROWS, Page
from portal.venues.paper.ranks.stretch import Stretch
from portal.venues.types import ClosedQuery, CloseTime

INSTANT: Final = timedelta(microseconds=1)
# Of orders that were open for so long at most, those closed within that time after an instant may have been open at it.
# A second more makes up for what SQLite loses of a microsecond.
LONGER: Final = timedelta(days=365 * 1000)
# One by one, by its primary key, is when an order opened looked up: whatever the database expects, there are few.
LATE: Final = " UNION ALL ".join(
    f"""
    SELECT r.row_id, r.at, (SELECT o.opened_at FROM paper_order AS o WHERE o.id = r.row_id) AS opened_at
    FROM paper_rank AS r WHERE r.account_id = %(account)s AND r.list = 'order' AND r.key = 'span:{span}'
        AND r.at > %(instant)s AND r.at <= %(until_{span})s
    """  # noqa: S608  (numbers of ours)
    for span in (*SPANS, "longer")
)
OPEN_AT: Final = f"""
    SELECT late.row_id, late.at, late.opened_at, (
        SELECT r.number FROM paper_rank AS r WHERE r.account_id = %(account)s AND r.list = 'order'
            AND r.key = %(key)s AND r.at = late.at AND r.row_id = late.row_id
    ) FROM ({LATE}) AS late WHERE late.opened_at <= %(instant)s
"""  # noqa: S608  (nothing of a request is in it)


@dataclass(frozen=True, slots=True)
class Straddler:
    """An order that was open at an instant, closed later, and has a number in the part that is asked for."""

    closed_at: datetime
    pk: int
    opened_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Opened:
    """Those that opened after an instant and up to another, itself included; None for no bound."""

    after: datetime | None
    until: datetime | None

    def has(self, at: datetime) -> bool:
        """Whether an order that opened at `at` is one of them."""
        return (self.after is None or at > self.after) and (self.until is None or at <= self.until)


def page(account_id: int, query: ClosedQuery, closed: Stretch) -> Page:
    """The page of the query, newest first by when they closed; `closed` is where the rows it names bound it."""
    if query.userref is not None and query.cl_ord_id is not None:
        # No order has both.
        return Page((), 0)
    key, opened, closed = _key(query), _opened(query), _closed(query, closed)
    # Whoever opened after an instant closed after it.
    whole = closed.later_than(opened.after)
    early = whole.through(opened.until)
    late: list[Straddler] = []
    if opened.until is not None and early != whole:
        found = _open_at(account_id, key, opened.until, whole.later_than(opened.until))
        late = [order for order in found if opened.has(order.opened_at)]
    left_out = [] if opened.after is None else _open_at(account_id, key, opened.after, early)
    if not late and not left_out:
        return pages.page(account_id, Ranked.ORDER, early, keys=(key,), offset=query.offset)
    return _put_together(late, _Thinned(account_id, key, early, left_out), query.offset)


@dataclass(frozen=True, slots=True)
class _Thinned:
    """A part of the list without some of its rows, these newest first."""

    account_id: int
    key: str
    stretch: Stretch
    left_out: Sequence[Straddler]

    def page(self, offset: int, rows: int) -> Page:
        """As pages.page, of `rows` rows."""
        numbers = [order.number for order in self.left_out]
        bottom, top = pages.bounds(self.account_id, Ranked.ORDER, self.key, self.stretch)
        first = top - offset
        for number in numbers:
            # Each one that would have been skipped lets one more be.
            first -= number >= first
        below = [number for number in numbers if number <= first]
        lowest = max(bottom, first - rows - len(below))
        found = pages.between(self.account_id, Ranked.ORDER, self.key, lowest, first, without=below)
        return Page(found[:rows], max(0, top - bottom - len(numbers)))


def _put_together(late: Sequence[Straddler], early: _Thinned, offset: int) -> Page:
    """What was still open at the end of the stretch closed after all that was not."""
    first = [order.pk for order in late[offset : offset + ROWS]]
    rest = early.page(max(0, offset - len(late)), ROWS - len(first))
    return Page([*first, *rest.ids], len(late) + rest.count)


def _open_at(account_id: int, key: str, instant: datetime, closed: Stretch) -> list[Straddler]:
    """The orders of a part that were open at an instant and closed within a stretch after it, newest first."""
    adapted = hand.wrapper.ops.adapt_datetimefield_value
    until = {f"until_{span}": adapted(_ahead(instant, timedelta(seconds=span + 1))) for span in SPANS}
    given = {"account": account_id, "key": key, "instant": adapted(instant)}
    rows = fetch(OPEN_AT, {**given, **until, "until_longer": adapted(_ahead(instant, LONGER))})
    found = (
        Straddler(as_instant(closed_at), pk, as_instant(opened_at), number)
        for pk, closed_at, opened_at, number in rows
        if number is not None
    )
    within = (order for order in found if closed.has((order.closed_at, order.pk)))
    return sorted(within, key=lambda order: (order.closed_at, order.pk), reverse=True)


def _ahead(instant: datetime, by: timedelta) -> datetime:
    last = datetime.max.replace(tzinfo=instant.tzinfo)
    return instant + by if last - instant > by else last


def _opened(query: ClosedQuery) -> Opened:
    is_asked = query.close_time in {CloseTime.OPEN, CloseTime.BOTH}
    seen_from = None if query.seen_from is None else query.seen_from - INSTANT
    after = [bound for bound in (query.after if is_asked else None, seen_from) if bound is not None]
    return Opened(max(after, default=None), query.until if is_asked else None)


def _closed(query: ClosedQuery, within: Stretch) -> Stretch:
    if query.close_time in {CloseTime.CLOSE, CloseTime.BOTH}:
        within = within.later_than(query.after).through(query.until)
    return within.before(query.seen_before)


def _key(query: ClosedQuery) -> str:
    if query.userref is not None:
        return f"userref:{query.userref}"
    return "" if query.cl_ord_id is None else f"id:{query.cl_ord_id}"
