"""Ending a membership (DESIGN M4)."""

from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone
from django.utils.html import format_html

from accounts import grants
from accounts.api_keys import unrevealed
from accounts.authentication import session_store
from accounts.members import invitations
from accounts.models import Member
from accounts.organizations import ownership
from accounts.request_members import find, name_of, refuse_owner
from policies import changes, groups
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation, takes_all
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Who is to go, with the rights they held when this was asked, for the record."""

    member_id: int
    held: tuple[str, ...]


def check_removal(*, actor: Actor, params: RemoveMember, change: ChangeRequest) -> None:
    """Raises: NotFound if they are gone already; Refused for the Owner."""
    refuse_owner(find(change, params.member_id))


def describe_removal(change: ChangeRequest) -> Description:
    """The request in words, with the rights that were held when it was asked."""
    name = change.title.removeprefix("Remove member ")
    held = tuple(str(line) for line in change.params.get("held", ()))
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to remove <b>{}</b>. They are signed out, lose every right, what they asked for is "
            "cancelled, they leave every group, and keys that they have not revealed are revoked. Their history stays.",
            change.initiator_label,
            name,
        ),
        facts=(Fact("Held when asked", "; ".join(held) or "no right"),),
        panel=(Fact("Remove", name), Fact("Asked by", change.initiator_label)),
    )


def touched_membership(*, params: RemoveMember, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether they are a member still: removed meanwhile, the request is stale."""
    here = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id, removed_at=None)
    return (Touched("Membership", "member" if here.exists() else "removed already", "removed"),)


@operation(
    "accounts.remove_member",
    title="Remove Member",
    workflow=Workflow.MANAGE_ACCESS,
    params=RemoveMember,
    subject=lambda params: f"member:{params.member_id}",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Remove member {name_of(params.member_id)}"),
    describe=describe_removal,
    opened=check_removal,
    takes_power=takes_all,
    touches=touched_membership,
    protection=lock_protection.TAKE_RIGHTS,
)
def remove_member(*, actor: Actor, params: RemoveMember, change: ChangeRequest) -> Member:
    """End a membership: no rights, no group, no sessions, nothing on its way; what they asked for is cancelled.

    Raises: as `check_removal`.
    """
    member = find(change, params.member_id)
    refuse_owner(member)
    held = grants.of(member)
    changes.cancel_all(initiator=member, reason=f"{member.label} was removed.", actor=actor)
    grants.give(member, ())
    now = timezone.now()
    Member.objects.filter(pk=member.pk).update(
        removed_at=now, suspended_at=None, suspended_by=None, suspended_until=None, version=F("version") + 1
    )
    record(
        EventKind.MEMBER_REMOVED,
        actor=actor,
        subject=member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        held=list(grants.in_words(held, grants.names(held))),
    )
    groups.leave_all(member, actor=actor, change=change.reference)
    changes.cancel_about(member, but=change, reason=f"{member.label} was removed.", actor=actor)
    invitations.end_of(member, actor=actor, reason=f"{member.label}, who invited them, was removed.")
    unrevealed.end_of(member, actor=actor, reason=f"{member.label}, who alone could reveal it, was removed.")
    ownership.end_offer_to(member)
    ownership.end_offer_by(member)
    session_store.end_member(member, reason="The member was removed.")
    return member
