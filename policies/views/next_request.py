"""Going on from one request to the next without going back to the list."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db.models import BooleanField, ExpressionWrapper, Q, Subquery

from policies.inbox.filters import Listing
from policies.models import ChangeRequest
from policies.models.change import ChangeQuerySet
from policies.views.rows import named
from portal.core.web.http import MemberRequest

if TYPE_CHECKING:
    from accounts.models import Member


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
    member, listing = request.member, opened_from(request)
    asked: dict[str, tuple[ChangeQuerySet, str]] = {}
    if listing is not None:
        before, after = listing.beside(change, member)
        asked |= {"previous": (before, listing.query), "next": (after, listing.query)}
    if is_left:
        waiting = [listing, Listing()] if listing is not None and listing.is_waiting else [Listing()]
        for place, waits in enumerate(dict.fromkeys(waiting)):
            others = waits.rows(member).exclude(pk=change.pk).order_by(*waits.order)
            asked[f"waiting{place}"] = (others, waits.query)
    found = _first_of_each(asked, member)
    previous, following = found.get("previous"), found.get("next")
    first = found.get("waiting0") or found.get("waiting1")
    if is_left and listing is not None and listing.is_waiting and following is not None:
        first = following
    return Beside(listing.query if listing else "", previous, following, first if is_left else None)


def _first_of_each(asked: Mapping[str, tuple[ChangeQuerySet, str]], member: "Member") -> dict[str, Neighbour]:
    """The first request of each of these lists, in one statement."""
    if not asked:
        return {}
    keys = {name: Subquery(rows.values("pk")[:1]) for name, (rows, _) in asked.items()}
    any_of_them = reduce(or_, (Q(pk=key) for key in keys.values()))
    rows = ChangeRequest.objects.of(member.organization_id).filter(any_of_them)
    found = rows.annotate(**{f"is_{name}": ExpressionWrapper(Q(pk=key), BooleanField()) for name, key in keys.items()})
    return {
        name: Neighbour(row, query) for row in found for name, (_, query) in asked.items() if getattr(row, f"is_{name}")
    }
