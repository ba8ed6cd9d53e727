"""The Members in a request: who asks for it, and whom it is about, found under their lock and named in its title."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.models import Member
from policies.models import ChangeRequest
from policies.rules import Facts
from portal.core.database import named_rows
from portal.core.errors import NotFound, Refused


def subject_of(change: ChangeRequest) -> Member | None:
    """The Member whom it is about, with who suspended them; None if they are gone."""
    return named_rows.row(_subjects(), change.subject_member_id or 0)


def read_subjects(changes: Sequence[ChangeRequest]) -> None:
    """The same of many requests that one page describes, in one statement."""
    named_rows.read_ahead(_subjects(), [change.subject_member_id or 0 for change in changes])


def _subjects() -> QuerySet[Member]:
    found: QuerySet[Member] = Member.objects.select_related("user", "suspended_by__user")
    return found


def asking_member(change: ChangeRequest) -> Member:
    """Raises: Refused for a bot: keys cannot make keys (security AP-10)."""
    if change.member is None:
        raise Refused("Only a member can ask for this.")
    return change.member


def find(change: ChangeRequest, member_id: int) -> Member:
    """The Member of the request's Organization, locked.

    Raises: NotFound if there is none, or they were removed.
    """
    members = Member.objects.select_for_update(of=("self",)).select_related("user", "organization")
    member = members.filter(organization_id=change.organization_id, removed_at=None, pk=member_id).first()
    if member is None:
        raise NotFound("There is no such member any more.")
    return member


def holds_power(member_id: int, facts: Facts) -> bool:
    """Whether that Member holds more than View anywhere: what gives such a right back is protected (DESIGN P4)."""
    person = facts.person(member_id)
    return person is not None and person.holds_power


def refuse_owner(member: Member) -> None:
    """Raises: Refused for the Owner, whose rights and membership change only by transfer (DESIGN O2)."""
    if member.is_owner:
        raise Refused(
            f"{member.label} is the Owner. What the Owner holds changes only by a transfer of ownership: ask for that "
            "first, under Organization."
        )


def name_of(member_id: int) -> str:
    """The Member's name, for the title that a request keeps."""
    return Member.objects.filter(pk=member_id).values_list("user__name", flat=True).first() or "somebody who is gone"
