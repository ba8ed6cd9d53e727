"""The one list of what the rail shows, and to whom."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Final, Literal, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts.api_keys.unrevealed import to_reveal
from accounts.authentication import session_data
from accounts.emergency_stop.active import Stopped, by_member
from accounts.models import Member
from accounts.reader import Reader, read
from policies.access import allows, granted
from policies.inbox.queues import waiting_count
from policies.workflows import Right, Workflow
from portal.core.web.http import SAFE, MemberRequest


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the rail: shown to whoever may View `workflow`, or to every Member.

    `also` are the beginnings of further paths that belong to it.
    """

    label: str
    route: str
    workflow: Workflow | None = None
    also: tuple[str, ...] = ()
    counts: bool = False


PLACES: Final[tuple[tuple[str, tuple[Place, ...]], ...]] = (
    ("", (Place("Inbox", "policies:inbox", also=("/requests/",), counts=True),)),
    (
        "Manage Access",
        (
            Place("Members", "accounts:members", Workflow.MANAGE_ACCESS, also=("/invitations/", "/groups/")),
            Place("Service Users", "accounts:service_users", Workflow.MANAGE_ACCESS),
            Place("Accounts", "accounts:accounts", Workflow.MANAGE_ACCESS),
            Place("Organization", "accounts:organization", Workflow.MANAGE_ACCESS),
        ),
    ),
    (
        "",
        (
            Place("Manage Policies", "policies:policies", Workflow.MANAGE_POLICIES),
            Place("Manage Addresses", "treasury:addresses", Workflow.MANAGE_ADDRESSES),
            Place("Withdrawals", "treasury:withdrawals", Workflow.INITIATE_WITHDRAWAL),
            Place("Balances", "treasury:balances", Workflow.INITIATE_WITHDRAWAL),
        ),
    ),
    ("", (Place("History", "dashboard:history"),)),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A Place as one reader sees it; `current` is the value of its aria-current."""

    label: str
    url: str
    current: Literal["", "page", "true"]
    counts: bool


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    items: tuple[Item, ...]


def navigation(request: HttpRequest) -> dict[str, object]:
    """What the frame shows, and for the inbox `stopped`, `identity_reviews` and `secrets_to_reveal`; none is asked for
    until it is shown.
    """
    if getattr(request, "member", None) is None:
        return {}
    known = cast("MemberRequest", request)

    def reads() -> Reader:
        # What was posted may have changed it since the middleware looked, which looks for nobody who is led away.
        if known.method not in SAFE or not hasattr(known, "reader"):
            known.reader = read(known.member, session_data.shown(known.session))
        return cast("Reader", known.reader)

    reader = SimpleLazyObject(reads)
    return {
        "nav": SimpleLazyObject(partial(groups, known.member, known.path)),
        "every_page": SimpleLazyObject(lambda: reader.every_page),
        "inbox_count": cache(lambda: waiting_count(known.member) + len(reader.reviews)),
        "identity_reviews": SimpleLazyObject(lambda: reader.reviews),
        "memberships": SimpleLazyObject(lambda: reader.places),
        "secrets_to_reveal": SimpleLazyObject(partial(to_reveal, known.member)),
        "security_notices": SimpleLazyObject(lambda: reader.notices),
        "stopped": SimpleLazyObject(partial(stopped_for, known.member)),
    }


def groups(member: Member, path: str) -> list[Group]:
    """What the reader may see of PLACES, without empty groups."""
    views = viewable(member)
    shown = (
        Group(label, tuple(_item(place, path) for place in places if place.workflow in {None, *views}))
        for label, places in PLACES
    )
    return [group for group in shown if group.items]


def viewable(member: Member) -> set[Workflow]:
    """The workflows that `member` may View, for all Accounts or for some: any right on one implies it."""
    return {Workflow(workflow) for workflow, _, _ in granted(member)}


def stopped_for(member: Member) -> list[Stopped]:
    """What is stopped now, for whoever could ask or approve that it is lifted."""
    able = any(allows(member, Workflow.MANAGE_ACCESS, right) for right in (Right.INITIATE, Right.APPROVE))
    return by_member(member.organization_id) if able else []


def _item(place: Place, path: str) -> Item:
    url = reverse(place.route)
    inside = path.startswith((url, *place.also))
    return Item(place.label, url, "page" if path == url else "true" if inside else "", place.counts)
