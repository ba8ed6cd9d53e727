"""Where the current call comes from, for the history: set once at the edge, read by `audit.record`."""

import os
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import Final

# The header in which each answer says its number.
REQUEST_ID: Final = "X-Request-Id"
# Who stands behind what is done, as the log says it: never who by name.
PERSON: Final = "person"
BOT: Final = "bot"
OPERATOR: Final = "operator"
SYSTEM: Final = "system"

# What is done, in a word, or what finds that out once somebody asks.
Doing = str | Callable[[], str]


@dataclass(frozen=True, slots=True)
class Origin:
    """One incoming call. `source` is the trusted address; `via` names the session or key, never its secret.

    `actor` is one of the words above. `doing` is a bot's method, a page's verb and route, a task or a command.
    """

    request_id: str
    source: str = ""
    via: str = ""
    actor: str = SYSTEM
    doing: Doing = ""


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
_begun: ContextVar[str] = ContextVar("begun", default="")
# Of this process, while it answers no call.
_outside = [Origin(request_id="")]


def current() -> Origin:
    """The Origin of the running call; outside of one, that of the process, without a number and without a source."""
    return _origin.get() or _outside[0]


def outside(*, actor: str, doing: str) -> None:
    """Say who stands behind what this process does of itself: a command is the operator's."""
    _outside[0] = Origin(request_id="", actor=actor, doing=doing)


def begins(task: str) -> None:
    """Say what this thread does from here on, until it begins something else: also while a failure is written down."""
    _begun.set(task)


def doing() -> str:
    """What is being done, in a word; empty where nobody has said."""
    said = current().doing
    return (said() if callable(said) else said) or _begun.get()


def new_request_id() -> str:
    """32 hex digits that find one call again in history, log and error page."""
    return os.urandom(16).hex()


class origin:  # noqa: N801 - reads as the statement that it is: `with origin(source=...)`
    """Name the origin of everything done inside the block. Inside of another one it is still the same call."""

    __slots__ = ("_token", "_value")

    def __init__(self, *, source: str, via: str = "", request_id: str = "", actor: str = "", doing: Doing = "") -> None:
        around = current()
        number = request_id or around.request_id or new_request_id()
        self._value = Origin(number, source, via, actor or around.actor, doing or around.doing)
        self._token: Token[Origin | None] | None = None

    def __enter__(self) -> Origin:
        self._token = _origin.set(self._value)
        return self._value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _origin.reset(self._token)
