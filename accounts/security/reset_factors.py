"""Resetting somebody's second factors, so that they can enrol anew (DESIGN M4; security F-10)."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.html import format_html

from accounts.authentication import notifications, session_store, throttle
from accounts.factors import trust
from accounts.models import Member
from accounts.request_members import find, holds_power, name_of
from accounts.security import cooldown
from accounts.security.password_change import send_enrolment_link
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, Notice
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
    """The request in words: what counts no longer, where the link goes, and how long they rest."""
    name = change.title.removeprefix("Reset the factors of ")
    hours = int(settings.AFTER_RESET.total_seconds() // 3600)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to reset the second factors of <b>{}</b>. All their passkeys, authenticator apps and "
            "recovery codes count in <b>{}</b> no longer, and their sessions here end.",
            change.initiator_label,
            name,
            change.organization.name,
        ),
        facts=(
            Fact("Enrolment", f"by a link to {name}’s own address, and nobody else’s"),
            Fact(
                "Afterwards",
                f"until {hours} hours after they enrol again {name} approves nothing, and finishes nothing alone, of "
                "money, access and policies",
            ),
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
    """When their factors were last reset; another reset meanwhile makes the request stale."""
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
    protection=lock_protection.RESET,
    protected=lambda params, facts: holds_power(params.member_id, facts),
    touches=touched_factors,
    # Somebody without factors approves nothing: that shortage is never a reason to refuse (P5).
    shifts_power=False,
    tells=True,
)
def reset_factors(*, actor: Actor, params: ResetFactors, change: ChangeRequest) -> Member:
    """Let no factor of the person count here any longer, end their sessions here, and send them alone a link.

    What another Organization of theirs relies on stays as it is there, and so do their sessions there.

    Raises: as `check_reset`.
    """
    check_reset(actor=actor, params=params, change=change)
    member = find(change, params.member_id)
    trust.end_all_of(member)
    throttle.code_was_right(member.user)
    cooldown.begin([member])
    record(
        EventKind.FACTORS_RESET,
        actor=actor,
        subject=member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
    )
    cooldown.tell_approvers(member, cooldown.RESET)
    session_store.end_member(member, reason="The factors were reset.")
    notifications.notify_security(member.user, "factors_reset", organization=member.organization.name)
    send_enrolment_link(member)
    return member
