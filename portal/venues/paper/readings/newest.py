"""The newest rows of a ranked list from a known one on: one look into an index, and nothing is joined that is known."""

from collections.abc import Callable
from operator import itemgetter
from typing import Final, TypeVar

from portal.core.database.reading import BEFORE, Question, Reading, Rows
from portal.venues.paper import due
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.ranks.pages import ROWS
from portal.venues.paper.readings.pages import standing
from portal.venues.types import Mark, Newest

T = TypeVar("T")
BEFORE_ALL: Final = Mark(0, 0)
# The columns of a row that say where it stands.
PLACE: Final = slice(BEFORE, BEFORE + 2)
NUMBER: Final = itemgetter(BEFORE)


def question(of: Ranked, columns: str, tables: str, key: str) -> Question:
    """A page at most and the known row, which has no `new_id`, and so no `columns` of `tables`, found by `key`.

    As many columns stand before them as in `pages.question`.
    """
    # Each row is looked up by itself: while tables are small PostgreSQL rather joins the whole of them beforehand. They
    # are put into order by whoever reads them, since nearly always there is one.
    return Question(
        stale=due.IS_DUE,
        select=f"""
    WITH listed AS (
        SELECT r.number, r.row_id, CASE WHEN r.number > %(known)s THEN r.row_id END AS new_id FROM paper_rank AS r
        WHERE r.account_id = %(account)s AND r.list = '{of.value}' AND r.key = '' AND r.number >= %(known)s
        ORDER BY r.number DESC LIMIT {ROWS}
    )
    SELECT listed.number, listed.row_id, listed.new_id, told.*
    FROM listed LEFT JOIN LATERAL (SELECT {columns} FROM {tables} WHERE {key} = listed.new_id OFFSET 0) AS told ON true
""",  # noqa: S608  (nothing of a request is in it)
        order="",
    )


def reading(
    question: Question, account_id: int, known: Mark | None, told: Callable[[Rows], list[T]]
) -> Reading[Newest[T]]:
    """What has come to the list after the `known` row; `told` makes it of all rows that have a `new_id`."""
    parameters = standing(account_id)
    parameters["known"] = (known or BEFORE_ALL).number

    def newest(rows: Rows) -> Newest[T]:
        if not rows:
            return Newest((), None, follows=known is None)
        if len(rows) > 1:
            rows = sorted(rows, key=NUMBER, reverse=True)
        elif rows[0][PLACE] == known:
            return Newest((), known, follows=True)
        _, _, lowest, oldest, *_ = rows[-1]
        follows = known is None or (lowest, oldest) == known or (lowest > known.number and len(rows) == ROWS)
        return Newest(told(rows), Mark(*rows[0][PLACE]), follows)

    return Reading(question, parameters, newest)
