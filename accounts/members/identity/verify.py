"""Verifying who a Member is (DESIGN M3)."""

from dataclasses import dataclass

from django.utils.html import format_html

from accounts.members.identity import checks, reviewers
from accounts.models import IdentityCheck, Member
from accounts.request_members import asking_member, find, holds_power, name_of
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict, Refused


@dataclass(frozen=True, slots=True)
class VerifyIdentity:
    """Whose identity, and by which submission, so that a later one is not verified unseen."""

    member_id: int
    check: str


def check_review(*, actor: Actor, params: VerifyIdentity, change: ChangeRequest) -> None:
    """Raises: Refused for who may not review it; Conflict if that submission is not waiting any more."""
    _waiting(params, change)


def describe_review(change: ChangeRequest) -> Description:
    """The request in words: who looked, and what follows for whom."""
    name = change.title.removeprefix("Verify the identity of ")
    return Description(
        sentence=format_html(
            "<b>{}</b> has compared what <b>{}</b> showed with who they are, and asks that they count as verified.",
            change.initiator_label,
            name,
        ),
        facts=(Fact("From then on", f"{name} may use the rights they hold"),),
        panel=(Fact("Verify", name), Fact("Reviewed by", change.initiator_label)),
    )


def touched_identity(*, params: VerifyIdentity, change: ChangeRequest) -> tuple[Touched, ...]:
    """Where their identity stands now; judged by somebody else meanwhile, the request is stale."""
    member = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id).first()
    return (Touched("Identity", member.get_identity_display() if member else "gone", "Verified"),)


@operation(
    "accounts.verify_identity",
    title="Verify identity",
    workflow=Workflow.MANAGE_ACCESS,
    params=VerifyIdentity,
    subject=lambda params: f"member:{params.member_id}",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Verify the identity of {name_of(params.member_id)}"),
    describe=describe_review,
    opened=check_review,
    touches=touched_identity,
    approvers_ask=True,
    alone=True,
    protection=lock_protection.VERIFY,
    protected=lambda params, facts: holds_power(params.member_id, facts),
)
def verify_identity(*, actor: Actor, params: VerifyIdentity, change: ChangeRequest) -> Member:
    """Count a Member as verified, by the review of whoever asked.

    Raises: as `check_review`.
    """
    check = _waiting(params, change)
    checks.settle(check, by=asking_member(change), accepted=True)
    record(
        EventKind.IDENTITY_VERIFIED,
        actor=actor,
        subject=check.member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        provider=check.provider,
    )
    return check.member


def _waiting(params: VerifyIdentity, change: ChangeRequest) -> IdentityCheck:
    member = find(change, params.member_id)
    bar = reviewers.bar_to_review(member, asking_member(change))
    if bar:
        raise Refused(bar)
    check = checks.waiting(member)
    if check is None or str(check.handle) != params.check:
        raise Conflict(f"What {member.label} showed is not waiting for a review any more. Look again.")
    return check
