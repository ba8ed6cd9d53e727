"""Calls of bots that a venue answers as its exchange does: sent on, and given back as they came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Number(str):
    """A JSON number, as the text it was sent as."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RelayedCall:
    """A private call that has passed all checks of its key: `fields` as it said them, without nonce and `otp`.

    A field is a text, a Number, a bool, or a list or an object of these. `seen_from` and `seen_before` are the key's
    query window, `permissions` what it may do.
    """

    account_id: int
    service_user_id: int
    method: str
    fields: Mapping[str, Any]
    permissions: frozenset[str]
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RelayedAnswer:
    """What the exchange said, whole: `body` is the envelope, or a file; `errors` are those in it, without warnings."""

    body: bytes
    media_type: str = "application/json"
    errors: tuple[str, ...] = ()


class Relaying(Protocol):
    """What a venue does with calls that its exchange answers."""

    def relays(self, method: str) -> bool:
        """Whether the venue sends calls of this method on, instead of answering them by its typed methods."""

    def relay(self, call: RelayedCall) -> RelayedAnswer:
        """Send it on, and give back what came.

        Raises: Refused, Invalid and what else a rule of ours says; NotServed; OverShare; Unavailable while the exchange
        does not answer, OutcomeUnknown if something may have been done there.
        """

    def relay_public(self, method: str, query: str) -> RelayedAnswer | None:
        """A public call, where this venue's exchange is the one whose prices are told; otherwise None."""
