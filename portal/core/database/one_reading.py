"""What a page that only reads asks of the database more than once, asked once.

Rights, and the people and policies behind them, are never remembered from one request to the next (security AZ-5). A
request that changes nothing may go by what it has read itself, a moment ago; whatever writes reads anew.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from django.db import connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Reading:
    depth: tuple[bool, int]
    kept: dict[Hashable, Any] = field(default_factory=dict)


_current: ContextVar[_Reading | None] = ContextVar("one_reading", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Until the block ends, `once` answers from what it was told first; for requests that change nothing."""
    token = _current.set(_Reading(_depth()))
    try:
        yield
    finally:
        _current.reset(token)


def once(name: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives; within `one_reading` what it gave when `name` was first asked for.

    Inside a transaction that was opened meanwhile it always reads: there something is being changed.
    """
    reading = _current.get()
    if reading is None or reading.depth != _depth():
        return read()
    if name not in reading.kept:
        reading.kept[name] = read()
    return cast("T", reading.kept[name])


def keep(name: Hashable, value: object) -> None:
    """Have `once` answer so on this page: it was read along with something else."""
    reading = _current.get()
    if reading is not None and reading.depth == _depth():
        reading.kept[name] = value


def is_kept(name: Hashable) -> bool:
    """Whether `once` would answer without reading."""
    reading = _current.get()
    return reading is not None and reading.depth == _depth() and name in reading.kept


def _depth() -> tuple[bool, int]:
    return connection.in_atomic_block, len(connection.savepoint_ids)
