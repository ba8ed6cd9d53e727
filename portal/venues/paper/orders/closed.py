"""Which closed orders a query asks for: by when they closed and when they opened, counted without being read.

Orders stand in their list by when they closed. A bound on when they opened is one on that too, but for the orders that
were open at that instant: these are few, however long the list is, since an Account has few open orders at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from portal.core.database.prepared import fetch
from portal.venues.paper.orders.models import Order
from portal.venues.paper.ranks import pages
from portal.venues.paper.ranks.models import SPANS, Ranked
from portal.venues.paper.ranks.pages import ROWS, Page
from portal.venues.paper.ranks.stretch import Stretch
from portal.venues.types import ClosedQuery, CloseTime

INSTANT: Final = timedelta(microseconds=1)
# Of orders that were open for so long at most, those closed within that time after an instant may have been open at it.
# A second more makes up for what SQLite loses of a microsecond.
LONGER: Final = timedelta(days=365 * 1000)
OPEN_AT: Final = " UNION ALL ".join(
    f"""
    SELECT o.id FROM paper_rank AS r JOIN paper_order AS o ON o.id = r.row_id
    WHERE r.account_id = %(account)s AND r.list = 'order' AND r.key = 'span:{span}'
        AND r.at > %(instant)s AND r.at <= %(until_{span})s AND o.opened_at <= %(instant)s
    """  # noqa: S608  (numbers of ours)
    for span in (*SPANS, "longer")
)


@dataclass(frozen=True, slots=True)
class Opened:
    """Those that opened after an instant and up to another, itself included; None for no bound."""

    after: datetime | None
    until: datetime | None

    def has(self, order: Order) -> bool:
        """Whether it opened then."""
        is_early = self.after is not None and order.opened_at <= self.after
        is_late = self.until is not None and order.opened_at > self.until
        return not is_early and not is_late


def page(account_id: int, query: ClosedQuery, closed: Stretch) -> Page:
    """The page of the query, newest first by when they closed; `closed` is where the rows it names bound it."""
    if query.userref is not None and query.cl_ord_id is not None:
        # No order has both.
        return Page((), 0)
    key, opened, closed = _key(query), _opened(query), _closed(query, closed)
    # Whoever opened after an instant closed after it.
    whole = closed.later_than(opened.after)
    early = whole.through(opened.until)
    late: list[Order] = []
    if opened.until is not None and early != whole:
        late = [
            order
            for order in _open_at(account_id, opened.until, whole.later_than(opened.until))
            if opened.has(order) and _is_named(order, query)
        ]
    left_out = []
    if opened.after is not None:
        left_out = [order for order in _open_at(account_id, opened.after, early) if _is_named(order, query)]
    if not late and not left_out:
        return pages.page(account_id, Ranked.ORDER, early, keys=(key,), offset=query.offset)
    return _put_together(late, _Thinned(account_id, key, early, left_out), query.offset)


@dataclass(frozen=True, slots=True)
class _Thinned:
    """A part of the list without some of its rows."""

    account_id: int
    key: str
    stretch: Stretch
    left_out: Sequence[Order]

    def page(self, offset: int, rows: int) -> Page:
        """As pages.page, of `rows` rows."""
        places = [(order.closed_at, order.pk) for order in self.left_out if order.closed_at is not None]
        numbers = sorted(pages.numbers(self.account_id, Ranked.ORDER, self.key, places), reverse=True)
        bottom, top = pages.bounds(self.account_id, Ranked.ORDER, self.key, self.stretch)
        first = top - offset
        for number in numbers:
            # Each one that would have been skipped lets one more be.
            first -= number >= first
        below = [number for number in numbers if number <= first]
        lowest = max(bottom, first - rows - len(below))
        found = pages.between(self.account_id, Ranked.ORDER, self.key, lowest, first, without=below)
        return Page(found[:rows], max(0, top - bottom - len(numbers)))


def _put_together(late: Sequence[Order], early: _Thinned, offset: int) -> Page:
    """What was still open at the end of the stretch closed after all that was not."""
    first = [order.pk for order in late[offset : offset + ROWS]]
    rest = early.page(max(0, offset - len(late)), ROWS - len(first))
    return Page([*first, *rest.ids], len(late) + rest.count)


def _open_at(account_id: int, instant: datetime, closed: Stretch) -> list[Order]:
    """The orders that were open at an instant and closed within a stretch after it, newest first."""
    adapted = connection.ops.adapt_datetimefield_value
    until = {f"until_{span}": adapted(_ahead(instant, timedelta(seconds=span + 1))) for span in SPANS}
    given = {"account": account_id, "instant": adapted(instant), "until_longer": adapted(_ahead(instant, LONGER))}
    found = Order.objects.filter(pk__in=[pk for (pk,) in fetch(OPEN_AT, {**given, **until})])
    columns = found.only("opened_at", "closed_at", "userref", "cl_ord_id")
    return sorted(
        (order for order in columns if order.closed_at and closed.has((order.closed_at, order.pk))),
        key=lambda order: (order.closed_at, order.pk),
        reverse=True,
    )


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


def _is_named(order: Order, query: ClosedQuery) -> bool:
    named = ((query.userref, order.userref), (query.cl_ord_id, order.cl_ord_id))
    return all(asked is None or asked == of_order for asked, of_order in named)
