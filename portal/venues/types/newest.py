"""What has come to a list that only grows, after a row that is known."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Mark(NamedTuple):
    """Where a row stands: its number, that of the oldest being 1, and what its venue knows it by."""

    number: int
    row: int


class Newest(NamedTuple, Generic[T_co]):
    """A page at most, newest first; `mark` is of the newest row of the list, None if it has none.

    `follows` says whether the known row stands where it stood, or the page is full without it. Otherwise rows came late
    and moved it, or it is a row of another database, and these rows say nothing. A tuple as Balance is.
    """

    rows: Sequence[T_co]
    mark: Mark | None
    follows: bool
