"""Lifting the suspension of one Member by request (DESIGN §4)."""

from dataclasses import dataclass

from django.utils.html import format_html

from accounts.emergency_stop import resume
from accounts.models import Member
from accounts.models.member import not_suspended
from accounts.request_members import find, holds_power, name_of, read_subjects, subject_of
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.core.actors import Actor
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class LiftMemberSuspension:
    """Which suspended Member may come back."""

    member_id: int


def check_lift(*, actor: Actor, params: LiftMemberSuspension, change: ChangeRequest) -> None:
    """Raises: Conflict if the Member is not suspended."""
    member = find(change, params.member_id)
    if not member.is_suspended:
        raise Conflict(f"{member.label} is not suspended.")


def describe_lift(change: ChangeRequest) -> Description:
    """The request in words; while it is open also who suspended them, and until when."""
    name = change.title.removeprefix("Lift suspension of member ")
    member = subject_of(change)
    facts: tuple[Fact, ...] = ()
    if change.is_open and member is not None and member.suspended_at is not None and member.suspended_by is not None:
        facts = (
            Fact("Suspended", markup.moment(member.suspended_at)),
            Fact("By", member.suspended_by.label),
            Fact(
                "Ends by itself",
                markup.moment(member.suspended_until) if member.suspended_until else "no: kept out",
            ),
        )
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> may sign in again, with the rights they hold. What they had asked for stays "
            "cancelled.",
            change.initiator_label,
            name,
        ),
        facts=facts,
        panel=(Fact("Lift suspension of", name), Fact("Asked by", change.initiator_label)),
    )


def touched_suspension(*, params: LiftMemberSuspension, change: ChangeRequest) -> tuple[Touched, ...]:
    """Since when they are suspended and how: another suspension than the one agreed to makes it stale."""
    members = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id, removed_at=None)
    row = members.exclude(not_suspended()).values_list("suspended_at", "suspended_until").first()
    if row is None or row[0] is None:
        return (Touched("Suspended", "no", "no"),)
    # Who agreed to lift what would have ended by itself has not agreed to undo that they are kept out since.
    since = f"since {row[0]:%Y-%m-%d %H:%M:%S} UTC"
    return (Touched("Suspended", since if row[1] else f"{since}, kept out", "no"),)


@operation(
    "accounts.lift_member_suspension",
    title="Lift suspension of a Member",
    workflow=Workflow.MANAGE_ACCESS,
    params=LiftMemberSuspension,
    subject=lambda params: f"member:{params.member_id}",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Lift suspension of member {name_of(params.member_id)}"),
    describe=describe_lift,
    describes_ahead=read_subjects,
    opened=check_lift,
    touches=touched_suspension,
    approvers_ask=True,
    protection=lock_protection.LIFT_MEMBER,
    protected=lambda params, facts: holds_power(params.member_id, facts),
)
def lift_member_suspension(*, actor: Actor, params: LiftMemberSuspension, change: ChangeRequest) -> Member:
    """Let a suspended Member sign in again; nothing that was ended comes back.

    Raises: as `check_lift`.
    """
    check_lift(actor=actor, params=params, change=change)
    member = find(change, params.member_id)
    resume.resume_member(member, actor=actor, reference=change.reference)
    return member
