"""From showing a document to being verified, or not (DESIGN M3)."""

from datetime import date
from typing import Final

import msgspec
from django.db import transaction
from django.utils import timezone

from accounts.members.identity.manual import ManualReview
from accounts.members.identity.provider import Document, Provider
from accounts.members.identity.reviewers import bar_to_review
from accounts.models import IdentityCheck, Member, Organization
from accounts.models.member import Identity
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from portal.core.secrets.sealing import seal, unseal

PROVIDER: Final[Provider] = ManualReview()
ADULT_YEARS: Final = 18


@transaction.atomic
def submit(member: Member, document: Document) -> IdentityCheck:
    """Take what a person shows, sealed, for the provider to look at.

    Raises: Conflict while one is being looked at or they are verified; Invalid for a document past its time or a
    person too young.
    """
    lock_history(member.organization_id)
    current = Member.objects.select_for_update(of=("self",)).select_related("user").get(pk=member.pk)
    if current.identity not in (Identity.UNVERIFIED, Identity.REJECTED):
        raise Conflict("Your identity is verified, or being checked already.")
    _look_at(document)
    now = timezone.now()
    check = IdentityCheck(member=current, provider=PROVIDER.name, submitted_at=now)
    check.sealed_document = seal(msgspec.json.encode(document), place=check.place)
    check.save()
    current.identity = Identity.SUBMITTED
    current.save(update_fields=["identity"])
    record(EventKind.IDENTITY_SUBMITTED, actor=current, subject=current, workflow=Workflow.MANAGE_ACCESS)
    PROVIDER.submitted(check)
    return check


@transaction.atomic
def open_document(check: IdentityCheck, *, reader: Member) -> Document:
    """What was shown, for a reviewer; that it was looked at is remembered.

    Raises: Refused for anybody who may not review it; NotFound for one of another Organization.
    """
    lock_history(reader.organization_id)
    if check.member.organization_id != reader.organization_id:
        raise NotFound("There is no such submission.")
    bar = bar_to_review(check.member, reader)
    if bar:
        raise Refused(bar)
    record(EventKind.IDENTITY_VIEWED, actor=reader, subject=check.member, workflow=Workflow.MANAGE_ACCESS)
    return msgspec.json.decode(unseal(check.sealed_document, place=check.place), type=Document)


@transaction.atomic
def reject(member: Member, *, by: Member, reason: str) -> None:
    """Turn a submission down; the person may show another document. It gives nobody any power, so it never waits.

    Raises: Invalid without a reason; Refused for anybody who may not review it; Conflict if nothing waits.
    """
    lock_history(by.organization_id)
    if not reason:
        raise Invalid("Say what is wrong, so that they know what to show.", field="reason")
    bar = bar_to_review(member, by)
    if bar:
        raise Refused(bar)
    check = waiting(member)
    if check is None:
        raise Conflict(f"{member.label} has shown nothing that waits for a review.")
    settle(check, by=by, accepted=False, reason=reason)
    record(EventKind.IDENTITY_REJECTED, actor=by, subject=member, workflow=Workflow.MANAGE_ACCESS, reason=reason)


def settle(check: IdentityCheck, *, by: Member, accepted: bool, reason: str = "") -> None:
    """Write how a check ended. Runs in the caller's transaction, which records it."""
    check.decided_at, check.decided_by, check.accepted, check.reason = timezone.now(), by, accepted, reason
    check.save(update_fields=["decided_at", "decided_by", "accepted", "reason"])
    state = Identity.VERIFIED if accepted else Identity.REJECTED
    Member.objects.filter(pk=check.member_id).update(identity=state)


def waiting(member: Member) -> IdentityCheck | None:
    """The submission that nobody has decided yet, locked."""
    rows = IdentityCheck.objects.select_for_update(of=("self",)).filter(member=member, decided_at=None)
    check = rows.first()
    if check is not None:
        check.member = member
    return check


def waiting_of(organization: Organization, number: int) -> IdentityCheck | None:
    """The submission of the Organization's Member of that number that nobody has decided yet, for a page."""
    rows = IdentityCheck.objects.filter(member=number, member__organization=organization, decided_at=None)
    return rows.select_related("member__user", "member__organization", "member__invited_by__user").first()


def last_of(member: Member) -> IdentityCheck | None:
    """What the person showed last."""
    return IdentityCheck.objects.filter(member=member).order_by("-pk").first()


def _look_at(document: Document) -> None:
    today = timezone.localdate()
    if document.expires_on < today:
        raise Invalid("This document is past its time. Show one that is valid.", field="expires_on")
    if document.born_on > _years_before(today, ADULT_YEARS):
        raise Invalid(f"A member is at least {ADULT_YEARS} years old.", field="born_on")


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)
