"""Taking back, by request, an invitation that others agreed to; who asked for it does so at once (DESIGN §4)."""

from dataclasses import dataclass

from django.utils.html import format_html

from accounts.members import invitations
from accounts.models import Invitation
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation, takes_all
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Which invitation, and for whom it was, for the record."""

    invitation_id: int
    email: str


def check_taking_back(*, actor: Actor, params: TakeBack, change: ChangeRequest) -> None:
    """Raises: NotFound for one of another Organization; Conflict if it was answered or taken back."""
    _find(params, change)


def describe_taking_back(change: ChangeRequest) -> Description:
    """The request in words, from its params: the invitation may be answered by then."""
    email = str(change.params.get("email", "?"))
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to take back the invitation of <b>{}</b>. Its link works no longer.",
            change.initiator_label,
            email,
        ),
        facts=(),
        panel=(Fact("Take back", f"the invitation of {email}"), Fact("Asked by", change.initiator_label)),
    )


def touched_by_taking_back(*, params: TakeBack, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether the invitation is still unanswered: otherwise there is nothing to take back."""
    rows = Invitation.objects.of(change.organization_id).unanswered().filter(pk=params.invitation_id)
    return (Touched("Invitation", "open" if rows.exists() else "answered or taken back", "taken back"),)


@operation(
    "accounts.take_back_invitation",
    title="Take an invitation back",
    workflow=Workflow.MANAGE_ACCESS,
    params=TakeBack,
    subject=lambda params: f"invitation:{params.invitation_id}",
    headline=lambda params: Headline(f"Take back the invitation of {params.email}"),
    describe=describe_taking_back,
    opened=check_taking_back,
    touches=touched_by_taking_back,
    takes_power=takes_all,
    shifts_power=False,
    protection=lock_protection.TAKE_INVITATION,
)
def take_back_invitation(*, actor: Actor, params: TakeBack, change: ChangeRequest) -> Invitation:
    """Close the door that an invitation had opened.

    Raises: as `check_taking_back`.
    """
    invitation = _find(params, change)
    invitations.take_back(invitation, actor=actor, reference=change.reference)
    return invitation


def _find(params: TakeBack, change: ChangeRequest) -> Invitation:
    rows = Invitation.objects.of(change.organization_id).select_for_update(of=("self",))
    invitation = rows.filter(pk=params.invitation_id).first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise Conflict("This invitation was answered or taken back already.")
    return invitation
