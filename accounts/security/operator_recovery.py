"""The operator's way back for who has lost every factor: announced to all, and cancelled by any (DESIGN M4)."""

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import memberships
from accounts.authentication import notifications, session_store, throttle
from accounts.authentication.email_links import absolute
from accounts.factors import trust
from accounts.models import Member, Recovery, User
from accounts.models.recovery import OPEN_FOR, OPENS_AFTER
from accounts.security import cooldown, password_change
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor, operator
from portal.core.display.phrases import dated
from portal.core.errors import Conflict, NotFound, Refused


@transaction.atomic
def announce(user: User) -> list[Recovery]:
    """Say in the history, by mail and on the pages of everybody concerned what will happen in 48 hours.

    Concerned are all the Organizations of the person, also one that has suspended them: their factors go there too.

    Raises: NotFound for who is no active member anywhere; Conflict if it is announced already.
    """
    _active(user)
    if running(user):
        raise Conflict(f"A recovery of {user.name} is announced already.")
    now = timezone.now()
    # One that was never carried out makes room.
    _unfinished().filter(member__user=user).update(cancelled_at=now)
    made = [
        Recovery.objects.create(member=place, announced_at=now, opens_at=now + OPENS_AFTER)
        for place in memberships.of(user)
    ]
    for recovery in made:
        _tell(EventKind.RECOVERY_ANNOUNCED, recovery, operator(recovery.member.organization_id))
        _notify_all(
            recovery.member,
            "recovery_announced",
            name=user.name,
            opens=f"{dated(recovery.opens_at)} UTC",
            link=absolute(reverse("accounts:recoveries"), of=recovery.member.organization_id),
        )
    return made


@transaction.atomic
def open_enrolment(user: User) -> list[Member]:
    """Take the person's lost factors away and mail them a link to enrol new ones. Rights and policies stay.

    Until 24 hours after they enrol again they rest (`accounts.security.cooldown`). A place that began after it was
    announced had nobody told, who might have cancelled it: what counts there stays, and these places are the answer.

    Raises: NotFound if nothing is announced, or it was cancelled; Refused before its time.
    """
    active = _active(user)
    found = running(user)
    if not found:
        raise NotFound(f"No recovery of {user.name} is announced, or it was cancelled.")
    opens_at = max(recovery.opens_at for recovery in found)
    if opens_at > timezone.now():
        raise Refused(f"Not before {dated(opens_at)} UTC. Until then any member can cancel it.")
    now = timezone.now()
    told = {recovery.member_id for recovery in found}
    untold = [place for place in memberships.of(user) if place.pk not in told]
    reached = [place for place in memberships.of(user) if place.pk in told]
    first = next((place for place in active if place.pk in told), None)
    if first is None:
        raise NotFound(f"{user.name} is an active member of no organization that was told of it.")
    trust.end_all(user, reached)
    throttle.code_was_right(user)
    cooldown.begin(reached)
    Recovery.objects.filter(pk__in=[recovery.pk for recovery in found]).update(opened_at=now)
    for recovery in found:
        _tell(EventKind.RECOVERY_OPENED, recovery, operator(recovery.member.organization_id))
        _notify_all(recovery.member, "recovery_opened", name=user.name)
    password_change.send_enrolment_link(first)
    session_store.end_in(reached, reason="The operator reset the second factors.")
    return untold


@transaction.atomic
def cancel(*, actor: Member, number: int) -> Recovery:
    """Stop a recovery before its time: any member of the Organization may, once, and it counts everywhere.

    Raises: NotFound if none is running there; Refused for who has cancelled one of the same person before.
    """
    found = Recovery.objects.filter(
        pk=number, member__organization_id=actor.organization_id, opened_at=None, cancelled_at=None
    )
    recovery = found.select_related("member__user").first()
    if recovery is None:
        raise NotFound("There is nothing to cancel: it was carried out, or cancelled already.")
    user = recovery.member.user
    memberships.lock(user)
    bar = bar_to_cancel(user, actor)
    if bar:
        raise Refused(bar)
    all_of_them = running(user)
    stopped = Recovery.objects.filter(member__user=user, opened_at=None, cancelled_at=None).update(
        cancelled_at=timezone.now(), cancelled_by=actor, canceller=actor.user_id
    )
    if not stopped:
        raise NotFound("There is nothing to cancel: it was carried out, or cancelled already.")
    for stopped_one in all_of_them:
        own = stopped_one.member.organization_id == actor.organization_id
        by = actor if own else operator(stopped_one.member.organization_id)
        _tell(EventKind.RECOVERY_CANCELLED, stopped_one, by)
        # Another Organization learns that it is over, not where its member is known besides (DESIGN O1).
        label = actor.label if own else "Somebody who may"
        _notify_all(stopped_one.member, "recovery_cancelled", name=user.name, by=label)
    return recovery


def bar_to_cancel(user: User, actor: Member) -> str:
    """Why `actor` may not cancel a recovery of that person, to them; empty where they may (DESIGN M4)."""
    if not Recovery.objects.filter(member__user=user, cancelled_by__user_id=actor.user_id).exists():
        return ""
    return (
        f"You have cancelled one recovery of {user.name} before. If this one is wrong too, another member cancels it."
    )


def running(user: User) -> list[Recovery]:
    """What is announced for the person, and neither carried out nor cancelled."""
    rows = _in_mind().filter(member__user=user)
    return list(rows.select_related("member__organization", "member__user").order_by("member__organization_id"))


def running_in(organization_id: int) -> list[Recovery]:
    """What is announced in one Organization."""
    rows = _in_mind().filter(member__organization_id=organization_id)
    return list(rows.select_related("member__user").order_by("pk"))


def _unfinished() -> QuerySet[Recovery]:
    return Recovery.objects.filter(opened_at=None, cancelled_at=None)


def _in_mind() -> QuerySet[Recovery]:
    """Without what was announced so long ago that whoever is there now does not know of it."""
    return _unfinished().filter(opens_at__gt=timezone.now() - OPEN_FOR)


def _active(user: User) -> list[Member]:
    """The person's active memberships, the histories of all of them locked."""
    memberships.lock(user)
    active = Member.objects.active().filter(user=user).select_related("organization", "user")
    found = list(active.order_by("organization_id"))
    if not found:
        raise NotFound(f"{user.name} is not an active member of any organization.")
    return found


def _notify_all(member: Member, kind: str, **data: str) -> None:
    people = User.objects.filter(memberships__in=Member.objects.active().filter(organization=member.organization_id))
    for person in people.order_by("pk"):
        notifications.notify_security(person, kind, **data)


def _tell(kind: EventKind, recovery: Recovery, actor: Actor) -> None:
    record(
        kind,
        actor=actor,
        subject=recovery.member,
        workflow=Workflow.MANAGE_ACCESS,
        opens_at=recovery.opens_at,
    )
