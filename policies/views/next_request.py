"""Going on from one request to the next without going back to the list."""

from dataclasses import dataclass

from policies.inbox.filters import Listing
from policies.models import ChangeRequest
from policies.views.rows import named
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another request and the list in which it stands."""

    change: ChangeRequest
    query: str

    @property
    def name(self) -> str:
        """What the request is called on a line of its own."""
        return named(self.change)


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands around a request in the list it was opened from; `query` names that list, if it was from one.

    `waiting` is where whoever has nothing left to do here goes on.
    """

    query: str
    previous: Neighbour | None
    next: Neighbour | None
    waiting: Neighbour | None


def opened_from(request: MemberRequest) -> Listing | None:
    """The list from which a request was opened, if it was from one."""
    return Listing.read(request.GET) if "tab" in request.GET else None


def beside(request: MemberRequest, change: ChangeRequest, *, is_left: bool) -> Beside:
    """What stands around `change`; with `is_left` also what waits for the reader, first of all in the same list."""
    listing = opened_from(request)
    query = listing.query if listing else ""
    before, after = listing.beside(change, request.member) if listing else (None, None)
    return Beside(
        query,
        Neighbour(before, query) if before else None,
        Neighbour(after, query) if after else None,
        _waiting(request, change, listing or Listing(), after) if is_left else None,
    )


def _waiting(
    request: MemberRequest, change: ChangeRequest, listing: Listing, after: ChangeRequest | None
) -> Neighbour | None:
    if listing.is_waiting and after is not None:
        return Neighbour(after, listing.query)
    for waits in dict.fromkeys((listing, Listing()) if listing.is_waiting else (Listing(),)):
        first = waits.rows(request.member).exclude(pk=change.pk).order_by(*waits.order).first()
        if first is not None:
            return Neighbour(first, waits.query)
    return None
