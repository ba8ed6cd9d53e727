"""What a page of withdrawals says that it shows, so that it is told only what has become other since (DESIGN R7)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from portal.core.paging import MAX_SIZE

# Rows as `17.0f3a9c21`, with a dash between them: the primary key, and a mark of all that the row says.
MARK_LENGTH: Final = 8
ROW: Final = re.compile(r"(\d{1,18})\.([0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class News:
    """What is other than a page shows, by primary key. `come` are the new rows, each with the one before it, if any."""

    changed: tuple[int, ...]
    come: tuple[tuple[int, int | None], ...]
    gone: tuple[int, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether the page is as it should be."""
        return not (self.changed or self.come or self.gone)


def mark(*said: object) -> str:
    """A short mark of what a row says."""
    return sha256(repr(said).encode()).hexdigest()[:MARK_LENGTH]


def written(marks: Mapping[int, str]) -> str:
    """The rows of a page as it sends them back."""
    return "-".join(f"{pk}.{its}" for pk, its in marks.items())


def read(text: str) -> dict[int, str] | None:
    """The rows that a page shows; None where it does not say, or says nothing that a page of ours would (IN-3)."""
    rows = [ROW.fullmatch(part) for part in text.split("-", MAX_SIZE)]
    if not text or len(rows) > MAX_SIZE or not all(rows):
        return None
    return {int(row[1]): row[2] for row in rows if row is not None}


def compare(shown: Mapping[int, str], now: Mapping[int, str]) -> News:
    """What to tell a page that shows the one, where the other is so; `now` in its order."""
    keys: Sequence[int] = list(now)
    return News(
        changed=tuple(pk for pk in keys if pk in shown and shown[pk] != now[pk]),
        come=tuple((pk, keys[place - 1] if place else None) for place, pk in enumerate(keys) if pk not in shown),
        gone=tuple(pk for pk in shown if pk not in now),
    )
