"""A page of a ranked list together with its rows: what `ranks.pages` and the query after it do in two statements."""

from datetime import UTC, datetime
from typing import Any, Final

from portal.core.database.reading import Question
from portal.venues.paper import due
from portal.venues.paper.prices import source
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.ranks.pages import ROWS, rank
from portal.venues.paper.ranks.stretch import Stretch

# The columns of a question about a page that stand before those of its rows.
BEFORE: Final = 3


def question(columns: str, rows: str) -> Question:
    """The page whose `rows` are tables that join `listed.row_id`. An empty page is one row without a number."""
    # The limit is written out, so that the planner knows how few rows it has to look up, each by its key.
    return Question(
        stale=due.IS_DUE,
        select=f"""
    WITH bounds AS (SELECT {rank("after")} AS bottom, {rank("until")} AS top),
    listed AS (
        SELECT r.number, r.row_id FROM bounds, paper_rank AS r
        WHERE r.account_id = %(account)s AND r.list = %(list)s AND r.key = %(key)s AND r.number > bounds.bottom
            AND r.number > bounds.top - %(offset)s - {ROWS} AND r.number <= bounds.top - %(offset)s
        ORDER BY r.number DESC LIMIT {ROWS}
    )
    SELECT bounds.bottom, bounds.top, listed.number, {columns}
    FROM bounds LEFT JOIN (listed {rows}) ON true
""",  # noqa: S608  (nothing of a request is in it)
        order="asked.number DESC",
    )


def parameters(account_id: int, of: Ranked, stretch: Stretch, offset: int) -> dict[str, Any]:
    """What such a question is told: all of the list, within a stretch of it."""
    (after_at, after_id), (until_at, until_id) = stretch.after, stretch.until
    return {
        **standing(account_id),
        "list": of.value,
        "key": "",
        "after_at": after_at,
        "after_id": after_id,
        "until_at": until_at,
        "until_id": until_id,
        "offset": offset,
    }


def standing(account_id: int) -> dict[str, Any]:
    """The Account, and what its being up to date hangs on at this moment."""
    return due.parameters(account_id, source.path().key, datetime.now(UTC))
