"""What takes how long, for whoever takes traces: without one, a span is a single look at a variable.

A *root* begins where something comes in or comes due; within it are spans. Names and notes hold no amount, no secret
and nobody's id.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Protocol

Notes = Mapping[str, str | int]


class Span(Protocol):
    """One piece of work, open for a block."""

    def note(self, notes: Notes, *, name: str = "") -> None:
        """What is known of it by now, and how it is called then. To a span that nobody takes it is nothing."""

    def __enter__(self) -> "Span": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Tracing(Protocol):
    """Who takes spans."""

    def root(self, name: str, notes: Notes, *, parent: str, is_shared: bool) -> Span:
        """A span of its own, or within the one that is open; `NOTHING` where it is not among those that are taken."""

    def within(self, name: str, notes: Notes) -> Span:
        """A span within the one that is open; `NOTHING` outside of any."""


class Nothing:
    """The span that nobody takes."""

    __slots__ = ()

    def note(self, notes: Notes, *, name: str = "") -> None:
        """Said to nobody."""

    def __enter__(self) -> "Nothing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


NOTHING: Final = Nothing()
NO_NOTES: Final[Notes] = {}


class _Taken:
    """Who takes the spans of this process."""

    by: Tracing | None = None


_taken: Final = _Taken()


def take(tracing: Tracing | None) -> None:
    """Have spans taken from here on; None ends it."""
    _taken.by = tracing


def are_taken() -> bool:
    """Whether anybody takes spans in this process."""
    return _taken.by is not None


def root(name: str, notes: Notes = NO_NOTES, *, parent: str = "", is_shared: bool = False) -> Span:
    """What came in or came due. `parent` is a trusted `traceparent`; of what `is_shared` only a share is taken."""
    tracing = _taken.by
    return NOTHING if tracing is None else tracing.root(name, notes, parent=parent, is_shared=is_shared)


def span(name: str, notes: Notes = NO_NOTES) -> Span:
    """A part of what is being done."""
    tracing = _taken.by
    return NOTHING if tracing is None else tracing.within(name, notes)
