"""May they: asked of the database each time, never remembered across requests (security AZ-5)."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponseBase

from policies import rights
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import actors
from portal.core.actors import Actor
from portal.core.errors import Refused
from portal.core.web.http import MemberRequest

if TYPE_CHECKING:
    from accounts.models import Account, Member

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[MemberRequest, P], R]


def allows(actor: Actor, workflow: Workflow, right: Right, account_id: int | None = None) -> bool:
    """Whether an active Member holds `right`, or one that implies it; without `account_id`, for some Account.

    All but View also takes a verified identity (DESIGN M3). Whoever is not a Member holds no rights.
    """
    if actor.kind != actors.MEMBER:
        return False
    return rights.of(actor.pk).allow(workflow, right, account_id)


def require(actor: Actor, workflow: Workflow, right: Right) -> None:
    """Raises: Refused unless `actor` holds `right` on `workflow`, for some Account at least."""
    if not allows(actor, workflow, right):
        raise Refused(lacking(workflow, right))


def lacking(workflow: Workflow, *enough: Right) -> str:
    """What to say to somebody who holds none of these rights there."""
    return f"You need {' or '.join(right.title for right in enough)} on {workflow.title} for this."


def needs(workflow: Workflow, right: Right, *others: Right) -> Callable[[View[P, R]], View[P, R]]:
    """Open a view only to Members with `right`, or one of the `others`; who has none of them gets the page that says
    so, and the history an event.
    """

    def guard(view: View[P, R]) -> View[P, R]:
        @wraps(view)
        def guarded(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not any(allows(request.member, workflow, enough) for enough in (right, *others)):
                _deny(request.member, request.path, workflow, right)
            return view(request, *args, **kwargs)

        guarded.needs = (workflow, right)  # type: ignore[attr-defined]
        return guarded

    return guard


def open_to_members(reason: str) -> Callable[[View[P, R]], View[P, R]]:
    """Say of a view that every signed-in Member may call it, and why; what it shows it picks by their rights."""

    def mark(view: View[P, R]) -> View[P, R]:
        view.needs = reason  # type: ignore[attr-defined]
        return view

    return mark


def grant(member: "Member", workflow: Workflow, right: Right, account: "Account | None" = None) -> Grant:
    """Give a right outside of any request; only for Organizations that are being made."""
    given, _ = Grant.objects.get_or_create(member=member, workflow=workflow, right=right, account=account)
    return given


def granted(member: "Member") -> set[tuple[Workflow, Right, int | None]]:
    """What is written for `member`, without what it implies."""
    return {(held.workflow, held.right, held.account_id) for held in rights.of(member.pk).grants}


def _deny(member: "Member", path: str, workflow: Workflow, right: Right) -> None:
    with transaction.atomic():
        record(
            EventKind.ACCESS_DENIED,
            actor=member,
            workflow=workflow,
            outcome="refused",
            right=right.value,
            path=path,
        )
    raise PermissionDenied(f"{lacking(workflow, right)} Ask a member with Manage Access.")
