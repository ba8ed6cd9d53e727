"""The newest rows of a ranked list from a known one on: one look into an index, and nothing is joined that is known."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from portal.core.database.reading import Question, Reading, Rows
from portal.venues.paper import due
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.ranks.pages import ROWS
from portal.venues.paper.readings.pages import standing
from portal.venues.types import Mark, Newest

T = TypeVar("T")
BEFORE_ALL: Final = Mark(0, 0)


def question(columns: str, tables: str, key: str) -> Question:
    """A page at most and the known row, which has no `new_id`, and so no `columns` of `tables`, found by `key`.

    As many columns stand before them as in `pages.question`.
    """
    # Each row is looked up by itself: while tables are small PostgreSQL rather joins the whole of them beforehand.
    return Question(
        stale=due.IS_DUE,
        select=f"""
    WITH listed AS (
        SELECT r.number, r.row_id, CASE WHEN r.number > %(known)s THEN r.row_id END AS new_id FROM paper_rank AS r
        WHERE r.account_id = %(account)s AND r.list = %(list)s AND r.key = '' AND r.number >= %(known)s
        ORDER BY r.number DESC LIMIT {ROWS}
    )
    SELECT listed.number, listed.row_id, listed.new_id, told.*
    FROM listed LEFT JOIN LATERAL (SELECT {columns} FROM {tables} WHERE {key} = listed.new_id OFFSET 0) AS told ON true
""",  # noqa: S608  (nothing of a request is in it)
        order="asked.number DESC",
    )


def reading(
    question: Question, account_id: int, of: Ranked, known: Mark | None, told: Callable[[Rows], list[T]]
) -> Reading[Newest[T]]:
    """What has come to the list after the `known` row; `told` makes it of all rows that have a `new_id`."""
    parameters: dict[str, Any] = {**standing(account_id), "list": of.value, "known": (known or BEFORE_ALL).number}

    def newest(rows: Rows) -> Newest[T]:
        if not rows:
            return Newest((), None, follows=known is None)
        _, _, number, row, *_ = rows[0]
        _, _, lowest, oldest, *_ = rows[-1]
        follows = known is None or (lowest, oldest) == known or (lowest > known.number and len(rows) == ROWS)
        return Newest(told(rows), Mark(number, row), follows)

    return Reading(question, parameters, newest)
