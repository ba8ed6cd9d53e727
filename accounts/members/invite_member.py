"""Inviting a person (DESIGN M2): governed, because rights come with the link."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.html import format_html

from accounts import grants
from accounts.grants import Written
from accounts.members import invitations
from accounts.models import Account, Invitation, Member
from accounts.request_members import asking_member
from policies.payload import decode
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.display.markup import is_unseen
from portal.core.errors import Conflict, Invalid
from portal.core.secrets.sealing import digest

if TYPE_CHECKING:
    from policies.models import ChangeRequest

NAME_LENGTH: Final = 80
EMAIL_LENGTH: Final = 254


@dataclass(frozen=True, slots=True)
class InviteMember:
    """Whom, under which name, and with which rights; the address in lower case."""

    email: str
    name: str
    rights: tuple[Written, ...]


def check_invitation(*, actor: Actor, params: InviteMember, change: "ChangeRequest") -> None:
    """Look at everything that only the database can say, the same at opening and when it is carried out.

    Nothing here depends on whether the address is known elsewhere: that is nobody's business (security SI-4).

    Raises: Invalid beside the field that cannot be; Conflict if they are in, or invited, already.
    """
    check_person(params.name, params.email)
    check_rights(params.rights, organization_id=change.organization_id)
    if _is_member(params, change):
        raise Conflict("Somebody with this address is a member already.", field="email")
    if _is_invited(params, change):
        raise Conflict("This address is invited already. Send that invitation again, or take it back.", field="email")


def check_person(name: str, email: str) -> None:
    """Raises: Invalid beside what is no name or no address."""
    if not name.strip() or len(name) > NAME_LENGTH or any(is_unseen(letter) for letter in name):
        raise Invalid("A name of 1 to 80 characters that can be seen.", field="name")
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is no email address.", field="email") from error
    if email != email.strip().lower() or len(email) > EMAIL_LENGTH:
        raise Invalid("Write the address in small letters.", field="email")


def check_rights(rights: tuple[Written, ...], *, organization_id: int) -> None:
    """Raises: Invalid for a right there is not, or one on an Account of somebody else (security AZ-3)."""
    accounts = set(Account.objects.filter(organization_id=organization_id).values_list("pk", flat=True))
    for workflow, right, account_id in rights:
        if workflow not in set(Workflow) or right not in set(Right):
            raise Invalid("There is no such right.", field="rights")
        if account_id is not None and (account_id not in accounts or not Workflow(workflow).by_account):
            raise Invalid("There is no such Account for this right.", field="rights")
    if len(set(rights)) != len(rights):
        raise Invalid("Name each right once.", field="rights")


def _describe(change: "ChangeRequest") -> Description:
    params = decode(InviteMember, change.params)
    accounts = grants.account_names(change.organization_id)
    lines = grants.by_workflow(grants.known(params.rights), accounts)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to invite <b>{}</b> at <b>{}</b>, {}.",
            change.initiator_label,
            params.name,
            params.email,
            "with the rights below" if lines else "without any right yet",
        ),
        facts=(Fact("Sent to", params.email), *(Fact(workflow, words) for workflow, words in lines)),
        panel=(
            Fact("Invite", params.name),
            Fact("Sent to", params.email),
            Fact("Gives", "; ".join(f"{workflow}: {words}" for workflow, words in lines) or "nothing yet"),
            Fact("Asked by", change.initiator_label),
        ),
        notices=_notices(params),
    )


def _notices(params: InviteMember) -> tuple[Notice, ...]:
    if not grants.give_power(grants.known(params.rights)):
        return ()
    return (
        Notice(
            "wait",
            "This gives a new person power.",
            "Until their identity is verified they can look at what they may view, and do nothing else.",
        ),
    )


def touched_invitation(*, params: InviteMember, change: "ChangeRequest") -> tuple[Touched, ...]:
    """Whether that address has an open invitation or is a member already; either makes the request stale."""
    if _is_member(params, change):
        return (Touched("Invitation", "a member already", "open"),)
    return (Touched("Invitation", "open already" if _is_invited(params, change) else "none", "open"),)


def _is_member(params: InviteMember, change: "ChangeRequest") -> bool:
    members = Member.objects.of(change.organization_id).filter(removed_at=None)
    return bool(members.filter(user__email=params.email).exists())


def _is_invited(params: InviteMember, change: "ChangeRequest") -> bool:
    return bool(Invitation.objects.of(change.organization_id).open().filter(email=params.email).exists())


@operation(
    "accounts.invite_member",
    title="Invite a member",
    workflow=Workflow.MANAGE_ACCESS,
    params=InviteMember,
    # An address may be longer than a subject.
    subject=lambda params: f"invitation:{digest(params.email)}",
    headline=lambda params: Headline(f"Invite {params.name}"),
    describe=_describe,
    opened=check_invitation,
    touches=touched_invitation,
    # A link gives nobody power: its rights count once its holder's identity is verified, and P5 is asked then.
    shifts_power=False,
    protection=lock_protection.INVITE,
    protected=lambda params, _facts: any(right != Right.VIEW for _, right, _ in params.rights),
)
def invite_member(*, actor: Actor, params: InviteMember, change: "ChangeRequest") -> Invitation:
    """Open an invitation valid for seven days and send its link after commit.

    Raises: as `check_invitation`.
    """
    check_invitation(actor=actor, params=params, change=change)
    invitation = invitations.open_invitation(
        organization=change.organization,
        email=params.email,
        name=params.name,
        rights=params.rights,
        invited_by=asking_member(change),
        approvals=change.required.people,
    )
    record(
        EventKind.MEMBER_INVITED,
        actor=actor,
        subject=invitation,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        rights=invitations.in_history(grants.read(params.rights)),
    )
    return invitation
