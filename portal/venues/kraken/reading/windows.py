"""What of a list a query window shows, and how the exchange's own bounds are written."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")


def seen(
    rows: Iterable[T], at: Callable[[T], datetime], seen_from: datetime | None, seen_before: datetime | None
) -> tuple[T, ...]:
    """Those from `seen_from` (inclusive) to `seen_before` (exclusive)."""
    return tuple(
        row
        for row in rows
        if (seen_from is None or at(row) >= seen_from) and (seen_before is None or at(row) < seen_before)
    )


def bounds(after: datetime | None, until: datetime | None, after_id: str, until_id: str) -> dict[str, Any]:
    """`start` (exclusive) and `end` (inclusive) as the exchange reads them: seconds since 1970, or an id."""
    found: dict[str, Any] = {}
    if after_id or after is not None:
        found["start"] = after_id or seconds(after)
    if until_id or until is not None:
        found["end"] = until_id or seconds(until)
    return found


def seconds(moment: datetime | None) -> str:
    """An instant in seconds since 1970, to the microsecond."""
    return f"{Decimal(str(moment.timestamp())):f}" if moment is not None else ""
