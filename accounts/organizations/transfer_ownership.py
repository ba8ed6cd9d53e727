"""Handing ownership on (DESIGN O3): asked and approved here, accepted in `accounts.organizations.ownership`."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html

from accounts.authentication import notifications
from accounts.authentication.email_links import absolute
from accounts.models import Member, OwnershipOffer
from accounts.organizations import ownership
from accounts.request_members import asking_member, find, name_of
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, always_protected, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.display.phrases import dated
from portal.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class TransferOwnership:
    """Who is to become the Owner, and who was it when this was asked."""

    member_id: int
    owner_id: int


def check_transfer(*, actor: Actor, params: TransferOwnership, change: ChangeRequest) -> None:
    """Raises: Refused for who may not ask or cannot become the Owner; Conflict while another offer is open."""
    member = find(change, params.member_id)
    ownership.refuse_transfer(member, asker=asking_member(change), owner_id=params.owner_id)
    if ownership.open_offer(member.organization) is not None:
        raise Conflict("An offer of ownership is open already. It has to be accepted, declined or past its time first.")


def describe_transfer(change: ChangeRequest) -> Description:
    """The request in words, with how the acceptance of it stands."""
    name = change.title.removeprefix("Transfer the ownership to ")
    offer = OwnershipOffer.objects.filter(request=change.reference).first()
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> becomes the Owner of <b>{}</b>, with every right on everything.",
            change.initiator_label,
            name,
            change.organization.name,
        ),
        facts=(
            Fact("New Owner", name),
            Fact("Present Owner", "keeps their rights, as a member like others"),
            Fact("Acceptance", _acceptance(name, change, offer)),
        ),
        panel=(Fact("New Owner", name), Fact("Asked by", change.initiator_label)),
        notices=(
            Notice(
                "wait",
                "There is one Owner, and this is how it changes.",
                f"Approved, it becomes an offer. Nothing changes before {name} accepts it.",
            ),
        ),
    )


def touched_ownership(*, params: TransferOwnership, change: ChangeRequest) -> tuple[Touched, ...]:
    """Who is the Owner now, and to whom it is offered; either changed meanwhile makes the request stale."""
    owner = ownership.owner_of(change.organization)
    offer = ownership.open_offer(change.organization)
    to = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id).first()
    return (
        Touched("Owner", owner.label, to.label if to else "gone", mark=str(owner.pk)),
        Touched(
            "Offered to",
            offer.to.label if offer else "nobody",
            to.label if to else "gone",
            mark=str(offer.pk) if offer else "none",
        ),
    )


@operation(
    "accounts.transfer_ownership",
    title="Transfer ownership",
    workflow=Workflow.MANAGE_ACCESS,
    params=TransferOwnership,
    subject=lambda _params: "organization:owner",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Transfer the ownership to {name_of(params.member_id)}"),
    describe=describe_transfer,
    opened=check_transfer,
    touches=touched_ownership,
    accepted=True,
    protection=lock_protection.TRANSFER,
    protected=always_protected,
)
def transfer_ownership(*, actor: Actor, params: TransferOwnership, change: ChangeRequest) -> OwnershipOffer:
    """Offer the ownership; it changes hands when the new Owner accepts within the open time of the request.

    Raises: as `check_transfer`.
    """
    check_transfer(actor=actor, params=params, change=change)
    member = find(change, params.member_id)
    offered = ownership.offer(member, change)
    record(
        EventKind.OWNERSHIP_OFFERED,
        actor=actor,
        subject=member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        until=change.expires_at,
    )
    notifications.notify_security(
        member.user,
        "ownership_offered",
        organization=member.organization.name,
        until=f"{dated(change.expires_at)} UTC",
        link=absolute(reverse("accounts:offer"), of=change.organization_id),
    )
    return offered


def _acceptance(name: str, change: ChangeRequest, offer: OwnershipOffer | None) -> str:
    if offer is None:
        return format_html("{} has to accept it until {}", name, markup.instant(change.expires_at))
    if offer.accepted_at is not None:
        return format_html("accepted {}", markup.moment(offer.accepted_at))
    if offer.declined_at is not None:
        return format_html("declined {}", markup.moment(offer.declined_at))
    words = "waits for {} until {}" if offer.is_open else "{} did not accept it until {}"
    until = min(offer.expires_at, offer.lapsed_at or offer.expires_at)
    return format_html(words, name, markup.instant(until))
