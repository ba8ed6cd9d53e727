"""One page of a list and its exact count: a handful of index probes and the rows of the page, however long it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from portal.core.database.prepared import fetch
from portal.venues.paper.ranks.models import Rank, RankCount, Ranked
from portal.venues.paper.ranks.stretch import Stretch

ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """The primary keys of the page's rows, newest first, and how many rows there are on all pages."""

    ids: Sequence[int]
    count: int


def rank(bound: str, key: str = "%(key)s", *, at: str = "", row: str = "") -> str:
    """SQL: how many rows of a part of the list stand up to a place, that of parameters `<bound>_at` and `<bound>_id`.

    `at` and `row` are columns to take it from in their place.
    """
    place = f"({at}, {row})" if at else f"(%({bound}_at)s, %({bound}_id)s)"
    return (
        "coalesce((SELECT r.number FROM paper_rank AS r "  # noqa: S608  (nothing of a request is in it)
        f"WHERE r.account_id = %(account)s AND r.list = %(list)s AND r.key = {key} AND (r.at, r.row_id) <= {place} "
        "ORDER BY r.at DESC, r.row_id DESC LIMIT 1), 0)"
    )


# Numbers have no gaps, so that a page is a stretch of numbers: nothing is read that is not told. An empty page is one
# row without a number.
PAGE: Final = f"""
    WITH bounds AS (SELECT {rank("after")} AS bottom, {rank("until")} AS top)
    SELECT bounds.bottom, bounds.top, listed.row_id
    FROM bounds LEFT JOIN paper_rank AS listed ON listed.account_id = %(account)s AND listed.list = %(list)s
        AND listed.key = %(key)s AND listed.number > bounds.bottom
        AND listed.number > bounds.top - %(offset)s - %(rows)s AND listed.number <= bounds.top - %(offset)s
    ORDER BY listed.number DESC
"""  # noqa: S608  (nothing of a request is in it)

BOUNDS: Final = f"SELECT {rank('after')}, {rank('until')}"

# Several parts of one list: the place that `offset` of their rows stand after is searched for by halves among all rows
# of the list, from the largest step down. What is told is then at most a page of each part.
MERGED: Final = f"""
    WITH RECURSIVE wanted(key) AS (VALUES %s),
    bounds(key, bottom, top) AS (SELECT key, {rank("after", "wanted.key")}, {rank("until", "wanted.key")} FROM wanted),
    whole(bottom, top) AS (SELECT {rank("after", "''")}, {rank("until", "''")}),
    total(found) AS (SELECT coalesce(sum(top - bottom), 0) FROM bounds WHERE top > bottom),
    halving(low, step) AS (
        SELECT bottom, %(step)s FROM whole
        UNION ALL
        SELECT CASE WHEN low + step <= (SELECT top FROM whole) AND %(offset)s < (
                SELECT sum(bounds.top - {rank("", "bounds.key", at="pivot.at", row="pivot.row_id")})
                FROM bounds, paper_rank AS pivot
                WHERE pivot.account_id = %(account)s AND pivot.list = %(list)s AND pivot.key = ''
                    AND pivot.number = low + step AND bounds.top > bounds.bottom
            ) THEN low + step ELSE low END, step / 2
        FROM halving WHERE step > 0
    ),
    newest(at, row_id) AS (
        SELECT pivot.at, pivot.row_id FROM paper_rank AS pivot
        WHERE pivot.account_id = %(account)s AND pivot.list = %(list)s AND pivot.key = ''
            AND pivot.number = (SELECT low + 1 FROM halving WHERE step = 0)
    ),
    parts(key, bottom, top) AS (
        SELECT key, bottom, {rank("", "bounds.key", at="newest.at", row="newest.row_id")}
        FROM bounds, newest, total WHERE total.found > %(offset)s
    )
    SELECT 0, total.found, listed.row_id
    FROM total LEFT JOIN (parts JOIN paper_rank AS listed ON listed.account_id = %(account)s
        AND listed.list = %(list)s AND listed.key = parts.key AND listed.number > parts.bottom
        AND listed.number > parts.top - %(rows)s AND listed.number <= parts.top) ON 1 = 1
    ORDER BY listed.at DESC, listed.row_id DESC LIMIT %(rows)s
"""  # noqa: S608  (nothing of a request is in it)
# More than an Account will ever have of anything; each half of it costs a comparison, and a look only where rows are.
WIDEST: Final = 2**40


def page(account_id: int, of: Ranked, stretch: Stretch, *, keys: Collection[str] = ("",), offset: int = 0) -> Page:
    """The page that begins after `offset` rows of these parts of the Account's list, newest first, and their count.

    One statement, and none for no part.
    """
    if not keys:
        return Page((), 0)
    given = {**parameters(account_id, of, stretch), "offset": offset, "rows": ROWS}
    if len(keys) == 1:
        [key] = keys
        found = fetch(PAGE, {**given, "key": key})
    else:
        found = _merged(sorted(keys), given)
    bottom, top, _ = found[0]
    return Page([row_id for *_, row_id in found if row_id is not None], max(0, int(top - bottom)))


def parameters(account_id: int, of: Ranked, stretch: Stretch) -> dict[str, Any]:
    """What the statements are given for a list of the Account and a stretch of it."""
    (after_at, after_id), (until_at, until_id) = stretch.after, stretch.until
    return {
        "account": account_id,
        "list": of.value,
        "after_at": connection.ops.adapt_datetimefield_value(after_at),
        "after_id": after_id,
        "until_at": connection.ops.adapt_datetimefield_value(until_at),
        "until_id": until_id,
    }


def parts(account_id: int, of: Ranked) -> list[str]:
    """The keys under which the Account's list has rows."""
    return list(RankCount.objects.filter(account_id=account_id, list=of).values_list("key", flat=True))


def bounds(account_id: int, of: Ranked, key: str, stretch: Stretch) -> tuple[int, int]:
    """How many rows of the part stand up to where the stretch begins, and up to where it ends."""
    [(bottom, top)] = fetch(BOUNDS, {**parameters(account_id, of, stretch), "key": key})
    return bottom, top


def between(
    account_id: int, of: Ranked, key: str, lowest: int, highest: int, *, without: Collection[int] = ()
) -> list[int]:
    """The primary keys of the rows numbered above `lowest` up to `highest`, newest first, but for some numbers."""
    own = Rank.objects.filter(account_id=account_id, list=of, key=key, number__gt=lowest, number__lte=highest)
    left_out = set(without)
    found = own.order_by("-number").values_list("number", "row_id")
    return [row_id for number, row_id in found if number not in left_out]


def _merged(keys: Sequence[str], given: dict[str, Any]) -> list[tuple[Any, ...]]:
    named = {f"key_{place}": key for place, key in enumerate(keys)}
    statement = MERGED.replace("VALUES %s", "VALUES " + ", ".join(f"(%({name})s)" for name in named))
    with connection.cursor() as cursor:
        cursor.execute(statement, {**given, **named, "step": WIDEST})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
