"""Accepting ownership, or declining it (DESIGN O3)."""

from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import grants
from accounts.authentication import notifications, session_store
from accounts.models import Member, Organization, OwnershipOffer
from policies import changes, freezes
from policies.models import ChangeRequest
from policies.rules.dead_ends import refuse_grown
from policies.snapshot import gather
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, NotFound, Refused
from portal.core.web.http import Proof

RESTS: Final = (
    "You rest until a day after you have enrolled a second factor anew, and accept no ownership before. "
    "If the offer ends before that, have it made again."
)


def owner_of(organization: Organization) -> Member:
    """The one Owner, suspended or not."""
    return Member.objects.select_related("user").get(organization=organization, is_owner=True)


def open_offer(organization: Organization) -> OwnershipOffer | None:
    """The offer that waits to be accepted, if there is one."""
    return _unanswered(organization).filter(expires_at__gt=timezone.now()).select_related("to__user").first()


def offer(member: Member, change: ChangeRequest) -> OwnershipOffer:
    """Hold the ownership out to `member` as long as the request is open. For the governed operation alone."""
    now = timezone.now()
    # One that nobody answered in time makes room: there is one at most, `ownership_offer_one_unanswered`.
    _unanswered(member.organization).filter(expires_at__lte=now).update(lapsed_at=now)
    return OwnershipOffer.objects.create(
        organization=member.organization,
        to=member,
        request=change.reference,
        offered_at=now,
        expires_at=change.expires_at,
    )


def end_offer_to(member: Member) -> None:
    """Who is removed or kept out is offered nothing any more, not even once they come back.

    Runs in the caller's transaction.
    """
    _unanswered(member.organization).filter(to=member).update(lapsed_at=timezone.now())


def end_offer_by(member: Member) -> None:
    """What somebody asked for ends with their suspension or removal, also once others agreed to it (R5).

    It does not come back with them. Runs in the caller's transaction.
    """
    asked = ChangeRequest.objects.filter(organization_id=member.organization_id, member=member)
    _unanswered(member.organization).filter(request__in=asked.values("reference")).update(lapsed_at=timezone.now())


def refuse_transfer(member: Member, *, asker: Member, owner_id: int) -> None:
    """Raises: Refused for who may not ask or cannot become the Owner; Conflict if the Owner is another by now."""
    owner = owner_of(member.organization)
    if owner.pk != owner_id:
        raise Conflict(f"{owner.label} is the Owner by now. Look again, and ask anew.")
    if asker.pk != owner.pk and not owner.is_suspended:
        raise Refused("Only the Owner can ask to transfer the ownership. Once suspended, an Owner can be replaced.")
    if member.is_owner:
        raise Refused(f"{member.label} is the Owner already.")
    if member.user_id == asker.user_id:
        raise Refused("Nobody asks for the ownership for themselves. Somebody else has to ask.")
    if not member.is_active or not member.is_verified:
        raise Refused(f"{member.label} has to be active and verified to become the Owner.")


@transaction.atomic
def accept(*, by: Member, proof: Proof | None, key: str | None = None) -> Member:
    """Make `by` the Owner; the one before keeps their rights as a Member. All checks run once more.

    The new Owner's sessions end, but for the one with that `key`.

    Raises: NotFound without an open offer to them; Refused without a recent second factor, while they rest or Manage
    Access is frozen, if its approvals no longer count, or if it would leave a dead end; Conflict if the Owner changed
    meanwhile.
    """
    offered, member = _offer_to(by)
    if proof is None or not proof.is_fresh:
        raise Refused("Show your second factor again to accept.", field="code")
    change = ChangeRequest.objects.with_parties().get(reference=offered.request, organization=member.organization)
    if member.is_resting:
        raise Refused(RESTS)
    lack = changes.no_longer_stands(change)
    if lack is not None:
        raise Refused(f"The request no longer stands. {lack}")
    frozen = freezes.holding_up(change, gather(member.organization))
    if frozen is not None:
        raise Refused(frozen.words)
    if change.member is None:
        raise Refused("Only a member can have asked for this.")
    owner = owner_of(member.organization)
    refuse_transfer(member, asker=change.member, owner_id=owner.pk)
    before = gather(member.organization, bots=True)
    # One after the other: there is never more than one, `owner_one_per_organization`.
    Member.objects.filter(pk=owner.pk).update(is_owner=False)
    Member.objects.filter(pk=member.pk).update(is_owner=True)
    grants.give(member, grants.everything())
    refuse_grown(before, gather(member.organization, bots=True))
    offered.accepted_at = timezone.now()
    offered.save(update_fields=["accepted_at"])
    record(
        EventKind.OWNERSHIP_ACCEPTED,
        actor=member,
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        change=offered.request,
        before=owner.label,
    )
    session_store.end_member(member, except_key=key, reason="The rights were changed.")
    _tell("ownership_accepted", member, owner, change.member)
    return owner


@transaction.atomic
def decline(*, by: Member) -> None:
    """Leave the ownership where it is.

    Raises: NotFound without an open offer to them.
    """
    offered, member = _offer_to(by)
    offered.declined_at = timezone.now()
    offered.save(update_fields=["declined_at"])
    record(
        EventKind.OWNERSHIP_DECLINED,
        actor=member,
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        change=offered.request,
    )
    asker = ChangeRequest.objects.with_parties().get(reference=offered.request, organization=member.organization).member
    _tell("ownership_declined", member, owner_of(member.organization), asker)


def _tell(kind: str, member: Member, *others: Member | None) -> None:
    """Say what `member` answered to the Owner there was, and to who asked."""
    for user in {other.user for other in others if other is not None}:
        notifications.notify_security(user, kind, name=member.label, organization=member.organization.name)


def _unanswered(organization: Organization) -> QuerySet[OwnershipOffer]:
    return OwnershipOffer.objects.filter(organization=organization, accepted_at=None, declined_at=None, lapsed_at=None)


def _offer_to(by: Member) -> tuple[OwnershipOffer, Member]:
    lock_history(by.organization_id)
    offered = open_offer(by.organization)
    if offered is None or offered.to_id != by.pk:
        raise NotFound("No offer of ownership waits for you any more.")
    member = Member.objects.select_for_update(of=("self",)).select_related("user", "organization").get(pk=by.pk)
    return offered, member
