"""Where the current call comes from, for the history: set once at the edge, read by `audit.record`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

# The header in which each answer says its number.
REQUEST_ID: Final = "X-Request-Id"


@dataclass(frozen=True, slots=True)
class Origin:
    """One incoming call. `source` is the trusted address; `via` names the session or key, never its secret."""

    request_id: str
    source: str = ""
    via: str = ""


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin:
    """The Origin of the running call; outside of one, an empty one without a source."""
    return _origin.get() or Origin(request_id="")


def new_request_id() -> str:
    """32 hex digits that find one call again in history, log and error page."""
    return uuid4().hex


@contextmanager
def origin(*, source: str, via: str = "", request_id: str = "") -> Iterator[Origin]:
    """Name the origin of everything done inside the block. Inside of another one it is still the same call."""
    value = Origin(request_id=request_id or current().request_id or new_request_id(), source=source, via=via)
    token = _origin.set(value)
    try:
        yield value
    finally:
        _origin.reset(token)
