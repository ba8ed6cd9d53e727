"""Invitations once they are agreed to: sent, sent again, revoked, and accepted (DESIGN M2, security SI-11)."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import grants
from accounts.authentication import email_links, session_store, throttle
from accounts.factors import trust
from accounts.grants import Rights, Written
from accounts.members import names
from accounts.models import IdentityCheck, Invitation, Member, Organization, Recovery, User
from accounts.models.invitation import LinkPurpose
from accounts.models.member import Identity
from accounts.security import cooldown
from policies import access
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.actors import Actor
from portal.core.display.phrases import dated
from portal.core.errors import Conflict, Invalid, NotFound, Refused, TooMany
from portal.jobs import mail

VALID_FOR: Final = timedelta(days=7)
# What was agreed to long ago should be asked for again.
SENT_AGAIN_WITHIN: Final = timedelta(days=30)
GONE: Final = "This invitation was used, taken back, or its time is over. Ask whoever invited you to send it again."

JUST_NOW: Final = "You have accepted another invitation at this very moment. Sign in, and accept this one there."


def open_invitation(
    *,
    organization: Organization,
    email: str,
    name: str,
    rights: tuple[Written, ...],
    invited_by: Member,
    approvals: int = 0,
) -> Invitation:
    """Open a door for that address and mail its link once the transaction commits. For the governed operation alone."""
    now, made = timezone.now(), email_links.new_token()
    # One that nobody answered in time makes room for this one.
    Invitation.objects.of(organization).unanswered().filter(email=email).update(revoked_at=now)
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        name=name,
        rights=[list(given) for given in rights],
        invited_by=invited_by,
        approvals=approvals,
        token_digest=made.digest,
        created_at=now,
        sent_at=now,
        expires_at=now + VALID_FOR,
    )
    _send(invitation, made)
    return invitation


@transaction.atomic
def send_again(*, actor: Member, number: int) -> Invitation:
    """Mail a new link, good for seven days; the old one is dead.

    Raises: Refused without Initiate on Manage Access; NotFound outside the actor's Organization; Conflict if it was
    answered, or is too old; TooMany if it was sent three times within an hour.
    """
    invitation = _unanswered(actor, number)
    now, made = timezone.now(), email_links.new_token()
    if now - invitation.created_at > SENT_AGAIN_WITHIN:
        raise Conflict("This was agreed to more than 30 days ago. Invite them anew.")
    if not throttle.may_send_invitation(invitation.pk):
        raise TooMany(f"Three links went to {invitation.email} within an hour. Wait, or let them look for the last.")
    invitation.token_digest, invitation.sent_at, invitation.expires_at = made.digest, now, now + VALID_FOR
    invitation.save(update_fields=["token_digest", "sent_at", "expires_at"])
    record(EventKind.INVITATION_SENT_AGAIN, actor=actor, subject=invitation, workflow=Workflow.MANAGE_ACCESS)
    _send(invitation, made)
    return invitation


@transaction.atomic
def revoke(*, actor: Member, number: int, reason: str = "") -> Invitation:
    """Close the door, at once: by who asked for it, or by anybody who may ask where nobody had to agree to it.

    Raises: as `send_again`; Refused where others agreed to it, for anybody but who asked.
    """
    invitation = _unanswered(actor, number)
    if not is_taken_back_at_once(invitation, actor):
        raise Refused("Others agreed to this invitation. Ask that it is taken back, or suspend who asked for it.")
    _close(invitation, actor, {"reason": reason} if reason else {})
    return invitation


def is_taken_back_at_once(invitation: Invitation, actor: Member) -> bool:
    """Whether `actor` undoes nobody's decision but their own by taking it back."""
    return not invitation.approvals or invitation.invited_by.user_id == actor.user_id


def take_back(invitation: Invitation, *, actor: Actor, reference: str) -> None:
    """Close the door because that was agreed to. For the governed operation alone."""
    _close(invitation, actor, {"change": reference})


def _close(invitation: Invitation, actor: Actor, why: dict[str, Any]) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    record(
        EventKind.INVITATION_REVOKED,
        actor=actor,
        subject=invitation,
        organization_id=invitation.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        **why,
    )


def end_of(inviter: Member, *, actor: Actor, reason: str) -> int:
    """Close every open door that `inviter` had opened, and say how many: what they asked for ends with them (R5).

    Runs in the caller's transaction, which holds the history.
    """
    rows = Invitation.objects.of(inviter.organization_id).unanswered().filter(invited_by=inviter).order_by("pk")
    found = list(rows.select_for_update())
    for invitation in found:
        _close(invitation, actor, {"reason": reason})
    return len(found)


def find(digest: str) -> Invitation:
    """The open invitation of that link.

    Raises: NotFound.
    """
    invitations = Invitation.objects.open().select_related("organization", "invited_by__user")
    invitation = invitations.filter(token_digest=digest).first() if digest else None
    if invitation is None:
        raise NotFound(GONE)
    return invitation


def waiting_for(user: User) -> list[Invitation]:
    """Every open invitation to the person's own address."""
    rows = Invitation.objects.open().filter(email=user.email).select_related("organization", "invited_by__user")
    return list(rows.order_by("pk"))


def accept(invitation: Invitation, *, by: Member | None = None, name: str = "", password: str = "") -> Member:
    """Make the person of that address a Member with the rights that were agreed to.

    `by` is who has signed in under the address: here that counts which counts there. Without one the link proves the
    address, and `password` is set; the second factors of somebody known are never touched (security F-9).

    Raises: NotFound if it is open no longer; Conflict if they are in already; Invalid if somebody there goes by their
    name, or by one that looks like it.
    """
    if by is None and not password:
        raise Invalid("Choose a password.", field="password")
    # Before the locks: others wait for those, and this may wait for others.
    return _accept(invitation, by, name, make_password(password) if by is None else "")


@transaction.atomic
def _accept(invitation: Invitation, by: Member | None, name: str, digested: str) -> Member:
    lock_history(invitation.organization_id)
    now = timezone.now()
    taken = Invitation.objects.open().filter(pk=invitation.pk, token_digest=invitation.token_digest)
    # One statement: of two browsers that accept at the same moment one gets in.
    if not taken.update(accepted_at=now):
        raise NotFound(GONE)
    name = names.one_line(by.user.name if by else name)
    names.refuse_alike(name, among=[invitation.organization_id], but=by.user if by else None)
    person = by.user if by else _person(invitation.email, name, digested)
    if person.email != invitation.email:
        raise NotFound(GONE)
    known = [by] if by else list(Member.objects.filter(user=person))
    member = _join(invitation, person, now)
    trust.count_as_in(member, known)
    cooldown.carry_over(member)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=member)
    record(
        EventKind.INVITATION_ACCEPTED,
        actor=member,
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        invited_by=invitation.invited_by.label,
        rights=in_history(rights_of(invitation)),
    )
    if by is None:
        email_links.kill(person, LinkPurpose.RESET_PASSWORD)
        session_store.end_all(person, reason="A password was set by an invitation.")
    return member


def rights_of(invitation: Invitation) -> Rights:
    """The rights that wait behind an invitation, typed: JSON keeps lists."""
    return grants.known(invitation.rights)


def in_history(rights: Rights) -> list[str]:
    """Rights as events keep them."""
    return [
        f"{one.workflow.value}: {one.right.value}{f' ({one.account_id})' if one.account_id else ''}" for one in rights
    ]


def needs_password(invitation: Invitation) -> bool:
    """Whether who follows the link sets a password: nobody new, and nobody who could not sign in, has one to show."""
    return not Member.objects.active().filter(user__email=invitation.email).exists()


def _person(email: str, name: str, digested: str) -> User:
    person = User.objects.filter(email=email).first()
    if person is None:
        try:
            with transaction.atomic():
                return User.objects.create(email=email, name=name, password=digested)
        except IntegrityError as error:
            # Another Organization's invitation to the same address was accepted at this very moment.
            raise Conflict(JUST_NOW) from error
    if not person.is_active or Member.objects.active().filter(user=person).exists():
        raise Conflict("Sign in with your own password, and accept the invitation there.")
    person.password = digested
    person.save(update_fields=["password"])
    return person


def _join(invitation: Invitation, person: User, now: datetime) -> Member:
    """A new Member, or one who was removed and comes back: with nothing of before (security SI-8)."""
    members = Member.objects.of(invitation.organization).select_for_update()
    member = members.filter(user=person).first() or Member(organization=invitation.organization, user=person)
    if member.pk and member.removed_at is None:
        raise Conflict(f"You are a member of {invitation.organization.name} already.")
    member.joined_at, member.invited_by = now, invitation.invited_by
    member.removed_at = member.suspended_at = member.suspended_by = member.suspended_until = None
    member.identity = Identity.UNVERIFIED
    if member.pk:
        member.version += 1
        _end_what_waited(member, now)
    member.save()
    Grant.objects.filter(member=member).delete()
    Grant.objects.bulk_create(
        Grant(member=member, workflow=one.workflow.value, right=one.right.value, account_id=one.account_id)
        for one in rights_of(invitation)
    )
    return member


def _end_what_waited(member: Member, now: datetime) -> None:
    """What was under way when they were removed says nothing of the membership that begins."""
    IdentityCheck.objects.filter(member=member, decided_at=None).update(
        decided_at=now, accepted=False, reason="They were removed before anybody had decided."
    )
    # Who came since was never told of it, and could not have cancelled it (DESIGN M4).
    Recovery.objects.filter(member=member, opened_at=None, cancelled_at=None).update(cancelled_at=now)
    email_links.kill(member.user, LinkPurpose.ENROL, [member])


def _unanswered(actor: Member, number: int) -> Invitation:
    lock_history(actor.organization_id)
    access.require(actor, Workflow.MANAGE_ACCESS, Right.INITIATE)
    rows = Invitation.objects.of(actor.organization).select_related("organization", "invited_by__user")
    invitation = rows.filter(pk=number).first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise Conflict("This invitation was answered or taken back already.")
    return invitation


def _send(invitation: Invitation, made: email_links.Token) -> None:
    until = timezone.localtime(invitation.expires_at)
    mail.send(
        "invitation",
        to=[invitation.email],
        context={
            "name": invitation.name,
            "organization": invitation.organization.name,
            "invited_by": invitation.invited_by.label,
            "link": email_links.absolute(reverse("accounts:invitation", kwargs={"token": made.text})),
            "until": f"{dated(until)} {until:%Z}",
        },
    )
