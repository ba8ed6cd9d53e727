"""Resetting somebody's second factors, so that they can enrol anew (DESIGN M4; security F-10)."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html

from accounts import mail, notices, sessions
from accounts.models import Authenticator, Member, Passkey, RecoveryCode
from accounts.operations.people import find, name_of
from accounts.own_password import send_enrolment_link
from policies.models import ChangeRequest
from policies.registry import Headline, operation
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor, portal
from portal.core.describing import Description, Fact, Notice
from portal.core.errors import Refused


@dataclass(frozen=True, slots=True)
class ResetFactors:
    """Whose factors are to go."""

    member_id: int


def check_reset(*, actor: Actor, params: ResetFactors, change: ChangeRequest) -> None:
    """Raises: Refused for one's own factors: this road is for somebody who cannot sign in."""
    member = find(change, params.member_id)
    asker = change.member
    if asker is not None and asker.user_id == member.user_id:
        raise Refused("Nobody resets their own factors this way. Change them under Security, or ask another member.")


def describe_reset(change: ChangeRequest) -> Description:
    name = change.title.removeprefix("Reset the factors of ")
    hours = int(settings.AFTER_RESET.total_seconds() // 3600)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to reset the second factors of <b>{}</b>. All their passkeys, authenticator apps and "
            "recovery codes stop working, and their sessions end.",
            change.initiator_label,
            name,
        ),
        facts=(
            Fact("Enrolment", f"by a link to {name}’s own address, and nobody else’s"),
            Fact("Afterwards", f"for {hours} hours {name} approves no money"),
        ),
        panel=(Fact("Reset factors of", name), Fact("Asked by", change.initiator_label)),
        notices=(
            Notice(
                "wait",
                f"Speak to {name} before you approve this.",
                "Whoever reads their mail and knows their password could enrol in their place.",
            ),
        ),
    )


@operation(
    "accounts.reset_factors",
    title="Reset factors",
    workflow=Workflow.MANAGE_ACCESS,
    params=ResetFactors,
    subject=lambda params: f"member:{params.member_id}",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Reset the factors of {name_of(params.member_id)}"),
    describe=describe_reset,
    opened=check_reset,
    # Somebody without factors approves nothing: that shortage is never a reason to refuse (P5).
    shifts_power=False,
)
def reset_factors(*, actor: Actor, params: ResetFactors, change: ChangeRequest) -> Member:
    """Take every factor of the person, end their sessions, and send them alone a link to enrol anew.

    Factors belong to the person, so this counts in all their Organizations, and each is told.

    Raises: as `check_reset`.
    """
    check_reset(actor=actor, params=params, change=change)
    member = find(change, params.member_id)
    user, now = member.user, timezone.now()
    for kind in (Authenticator, Passkey, RecoveryCode):
        kind.objects.filter(user=user).delete()
    elsewhere = Member.objects.filter(user=user, removed_at=None).exclude(pk=member.pk)
    Member.objects.filter(user=user).update(factors_reset_at=now)
    record(
        EventKind.FACTORS_RESET,
        actor=actor,
        subject=member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        approves_no_money_until=now + settings.AFTER_RESET,
    )
    for other in elsewhere.select_related("user").order_by("organization_id"):
        record(
            EventKind.FACTORS_RESET,
            actor=portal(other.organization_id),
            subject=other,
            workflow=Workflow.MANAGE_ACCESS,
            approves_no_money_until=now + settings.AFTER_RESET,
        )
    sessions.end_all(user, reason="The factors were reset.")
    notices.notify_security(user, "factors_reset")
    send_enrolment_link(member)
    _tell_approvers(member)
    return member


def _tell_approvers(member: Member) -> None:
    """All who approve anything here learn of it, so that a stranger in somebody's place is noticed (M4)."""
    approvers = (
        Member.objects.active()
        .of(member.organization)
        .filter(grants__right=Right.APPROVE.value)
        .exclude(pk=member.pk)
        .select_related("user")
        .distinct()
        .order_by("pk")
    )
    mail.send(
        "factors_reset",
        to=[approver.user.email for approver in approvers],
        context={
            "name": member.label,
            "organization": member.organization.name,
            "hours": int(settings.AFTER_RESET.total_seconds() // 3600),
        },
    )
