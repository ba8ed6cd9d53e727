"""The request as our views see it, and where it came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import Member, Organization


@dataclass(frozen=True, slots=True)
class Proof:
    """A second factor shown again. With `change` and `digest` it serves that one Decision and nothing else."""

    factor: str
    at: datetime
    change: str = ""
    digest: str = ""


class StepUp(Protocol):
    """What `request.step_up` can do (security SU-1 to SU-5)."""

    def recent(self) -> Proof | None:
        """The last proof, if it is less than five minutes old; never one that was bound to a Decision."""

    def verify(self, code: str, *, change: str = "", digest: str = "") -> Proof:
        """Check an authentication code now and return its proof, bound to `change` and `digest` when given.

        Raises: Invalid with `field="code"` if the code is wrong, used, or comes too soon after failures.
        """


class MemberRequest(HttpRequest):
    """A request of a signed-in Member, as the middleware leaves it for our views."""

    member: "Member"
    organization: "Organization"
    step_up: StepUp
    htmx: "HtmxDetails"
    request_id: str
