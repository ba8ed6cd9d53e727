"""Leaving every group at once, when a membership ends."""

from typing import TYPE_CHECKING

from policies.models import Group, GroupMember
from portal.audit.kinds import EventKind
from portal.audit.record import record

if TYPE_CHECKING:
    from accounts.models import Member
    from portal.core.actors import Actor


def leave_all(member: "Member", *, actor: "Actor", change: str) -> None:
    """Take `member` out of every group, so that they are in none when they come back; each remembers it.

    `change` is the reference of the request by which the membership ends. For whoever ends it, in its transaction.
    """
    groups = list(Group.objects.filter(memberships__member=member).order_by("pk"))
    GroupMember.objects.filter(member=member).delete()
    for group in groups:
        record(
            EventKind.GROUP_CHANGED,
            actor=actor,
            subject=group,
            organization_id=group.organization_id,
            change=change,
            left=[member.label],
        )
