"""Resetting somebody's second factors, so that they can enrol anew (DESIGN M4; security F-10)."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.html import format_html

from accounts import notices, places, resting, sessions
from accounts.models import Authenticator, Member, Passkey, RecoveryCode
from accounts.operations.people import find, holds_power, name_of
from accounts.own_password import send_enrolment_link
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation
from policies.workflows import Workflow
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


def organizations_of(params: ResetFactors) -> tuple[int, ...]:
    """Factors belong to the person: all their Organizations are told."""
    member = Member.objects.filter(pk=params.member_id).select_related("user").first()
    return tuple(place.organization_id for place in places.of(member.user)) if member else ()


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
            Fact("Afterwards", f"for {hours} hours {name} approves neither money nor protected changes"),
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


def touched_factors(*, params: ResetFactors, change: ChangeRequest) -> tuple[Touched, ...]:
    members = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id)
    last = members.values_list("factors_reset_at", flat=True).first()
    return (Touched("Factors last reset", f"{last:%Y-%m-%d %H:%M:%S} UTC" if last else "never", "anew"),)


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
    protected=lambda params, facts: holds_power(params.member_id, facts),
    reaches=organizations_of,
    touches=touched_factors,
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
    user = member.user
    for kind in (Authenticator, Passkey, RecoveryCode):
        kind.objects.filter(user=user).delete()
    until = resting.begin(user)
    for place in places.of(user):
        is_here = place.pk == member.pk
        why: dict[str, Any] = {"change": change.reference} if is_here else {}
        record(
            EventKind.FACTORS_RESET,
            actor=actor if is_here else portal(place.organization_id),
            subject=place,
            organization_id=place.organization_id,
            workflow=Workflow.MANAGE_ACCESS,
            approves_no_money_until=until,
            **why,
        )
        resting.tell_approvers(place, resting.RESET)
    sessions.end_all(user, reason="The factors were reset.")
    notices.notify_security(user, "factors_reset")
    send_enrolment_link(member)
    return member
