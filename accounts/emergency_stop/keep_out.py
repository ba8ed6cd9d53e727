"""Keeping a Member out until that is lifted: governed like removing them; a suspension ends by itself (DESIGN §4)."""

from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone
from django.utils.html import format_html

from accounts.authentication import session_store
from accounts.emergency_stop import notifications
from accounts.members import invitations
from accounts.models import Member
from accounts.organizations import ownership
from accounts.request_members import find, name_of, read_subjects, subject_of
from policies import changes
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation, takes_all
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict, Refused


@dataclass(frozen=True, slots=True)
class KeepOut:
    """Who is to stay out until that is lifted."""

    member_id: int


def check_keeping_out(*, actor: Actor, params: KeepOut, change: ChangeRequest) -> None:
    """Raises: NotFound if they are gone; Refused for oneself; Conflict if they are kept out already."""
    member = find(change, params.member_id)
    if change.member_id == member.pk:
        raise Refused("You cannot keep yourself out. End your other sessions under Security instead.")
    if member.is_suspended and member.suspended_until is None:
        raise Conflict(f"{member.label} is kept out already.")


def describe_keeping_out(change: ChangeRequest) -> Description:
    """The request in words; while it is open also how a suspension that runs would end without it."""
    name = change.title.removeprefix("Keep member out: ")
    member = subject_of(change)
    facts: tuple[Fact, ...] = (Fact("Ends", "never by itself: only by a request to lift it"),)
    if change.is_open and member is not None and member.is_suspended and member.suspended_until is not None:
        by = f" by {member.suspended_by.label}" if member.suspended_by else ""
        facts = (
            Fact("Now", f"suspended{by}"),
            Fact("That would end", markup.moment(member.suspended_until)),
            *facts,
        )
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to keep <b>{}</b> out until that is lifted. They are signed out, and what they asked for "
            "is cancelled. They stay a member, and keep their rights for when they come back.",
            change.initiator_label,
            name,
        ),
        facts=facts,
        panel=(Fact("Keep out", name), Fact("Asked by", change.initiator_label)),
    )


def touched_by_keeping_out(*, params: KeepOut, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether they are kept out already; an emergency stop that runs changes nothing here."""
    members = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id, removed_at=None)
    row = members.values_list("suspended_at", "suspended_until").first()
    # An emergency stop that is pulled, or ends, meanwhile takes nothing from this request.
    is_out = row is not None and row[0] is not None and row[1] is None
    return (Touched("Kept out", "removed already" if row is None else "yes" if is_out else "no", "yes"),)


@operation(
    "accounts.keep_out",
    title="Keep a Member out",
    workflow=Workflow.MANAGE_ACCESS,
    params=KeepOut,
    subject=lambda params: f"member:{params.member_id}",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Keep member out: {name_of(params.member_id)}"),
    describe=describe_keeping_out,
    describes_ahead=read_subjects,
    opened=check_keeping_out,
    touches=touched_by_keeping_out,
    takes_power=takes_all,
    protection=lock_protection.TAKE_RIGHTS,
)
def keep_out(*, actor: Actor, params: KeepOut, change: ChangeRequest) -> Member:
    """Suspend a Member without an end: no sessions, and what they asked for is cancelled. The Owner too (O2, O3).

    Raises: as `check_keeping_out`.
    """
    check_keeping_out(actor=actor, params=params, change=change)
    member = find(change, params.member_id)
    changes.cancel_all(initiator=member, reason=f"{member.label} was suspended.", actor=actor)
    since = member.suspended_at if member.is_suspended else timezone.now()
    Member.objects.filter(pk=member.pk).update(
        suspended_at=since, suspended_by=change.member_id, suspended_until=None, version=F("version") + 1
    )
    record(
        EventKind.MEMBER_KEPT_OUT,
        actor=actor,
        subject=member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
    )
    invitations.end_of(member, actor=actor, reason=f"{member.label}, who invited them, was suspended.")
    ownership.end_offer_to(member)
    ownership.end_offer_by(member)
    session_store.end_member(member, reason="The member was suspended.")
    notifications.tell_kept_out(member, by=change.initiator_label)
    return member
