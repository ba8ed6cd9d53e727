"""Where the current call comes from, for the history: set once at the edge, read by `audit.record`."""

import os
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import Final

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
    return os.urandom(16).hex()


class origin:  # noqa: N801 - reads as the statement that it is: `with origin(source=...)`
    """Name the origin of everything done inside the block. Inside of another one it is still the same call."""

    __slots__ = ("_token", "_value")

    def __init__(self, *, source: str, via: str = "", request_id: str = "") -> None:
        self._value = Origin(request_id=request_id or current().request_id or new_request_id(), source=source, via=via)
        self._token: Token[Origin | None] | None = None

    def __enter__(self) -> Origin:
        self._token = _origin.set(self._value)
        return self._value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _origin.reset(self._token)
