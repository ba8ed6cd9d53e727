"""The request as our views see it, and where it came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.urls import ResolverMatch
from django.utils import timezone

from portal.core.clocks import is_ahead
from portal.core.errors import Refused

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import Member, Organization


@dataclass(frozen=True, slots=True)
class Proof:
    """A second factor shown again. With `change` and `digest` it serves that one Decision and nothing else.

    `mark` says which of the person's factors it was: it counts in some of their Organizations, and not in others.
    """

    factor: str
    at: datetime
    change: str = ""
    digest: str = ""
    mark: str = ""

    @property
    def is_fresh(self) -> bool:
        """Whether it was shown within the last minutes, `STEP_UP_FRESH` (SU-1); never one from a time to come.

        Another node may have looked at it, whose clock is a little ahead of this one's.
        """
        now = timezone.now()
        return not is_ahead(self.at, now) and now < self.at + settings.STEP_UP_FRESH

    @property
    def is_bound(self) -> bool:
        """Whether it was shown for one thing alone."""
        return bool(self.change or self.digest)

    def is_for(self, change: str, digest: str) -> bool:
        """Whether it was shown for just this, as it was read (SU-2)."""
        return (self.change, self.digest) == (change, digest)


def refuse_sending_unproved(proof: Proof | None, change: str, digest: str) -> None:
    """Raises: Refused, for what is sent at once, unless a fresh second factor was shown for just this (SU-2)."""
    if proof is None or not proof.is_for(change, digest):
        raise Refused("This would be sent at once. Show your second factor for it.", field="code")
    if not proof.is_fresh:
        raise Refused("Show your second factor again: it was too long ago.", field="code")


class StepUp(Protocol):
    """What `request.step_up` can do (security SU-1 to SU-5)."""

    def recent(self) -> Proof | None:
        """The last proof, if it is less than five minutes old; never one that was bound to a Decision."""

    def factors(self) -> frozenset[str]:
        """What the Member could show here: "totp", "passkey" or both, as far as the Organization's level takes it."""

    def challenge(self, *, change: str = "", digest: str = "") -> dict[str, Any]:
        """The options with which the browser asks for one of the Member's passkeys, for just this."""

    def verify(self, code: str, *, change: str = "", digest: str = "") -> Proof:
        """Check an authentication code now and return its proof, bound to `change` and `digest` when given.

        Raises: Invalid with `field="code"` if the code is wrong, used, or comes too soon after failures.
        """

    def verify_passkey(self, answer: str, *, change: str = "", digest: str = "") -> Proof:
        """The same with what a passkey answered, as JSON, to the challenge made for just this.

        Raises: Invalid if it is not accepted.
        """


# What changes nothing.
SAFE: Final = frozenset({"GET", "HEAD"})


class MemberRequest(HttpRequest):
    """A request of a signed-in Member, as the middleware leaves it for our views."""

    member: "Member"
    organization: "Organization"
    step_up: StepUp
    htmx: "HtmxDetails"
    request_id: str
    session_left: int
    reader: object


def route_of(verb: str | None, page: ResolverMatch | None) -> str:
    """The verb, and the name of the page once it is found: an address could hold who or what it is about."""
    return f"{(verb or '')[:10]} {page.view_name if page else ''}".rstrip()
