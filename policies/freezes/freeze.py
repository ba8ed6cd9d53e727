"""Freezing at once: the stop that one person pulls alone, so it is narrow and ends by itself (DESIGN §4)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from policies import notes
from policies.access import lacking
from policies.freezes import mail
from policies.freezes.places import Place, right_there
from policies.models import Freeze
from policies.models.freeze import REASON_LENGTH
from policies.workflows import Right
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.actors import portal
from portal.core.errors import Invalid, NotFound, Refused

if TYPE_CHECKING:
    from accounts.models import Member

MOST_HOURS: Final = 72
NOT_AGAIN_WITHIN: Final = timedelta(days=7)


@transaction.atomic
def freeze(*, actor: "Member", place: Place, hours: int, reason: str) -> Freeze:
    """Let nothing be asked, approved or carried out at `place` for so many hours; what waits there goes on waiting.

    It takes power away for a while, so whoever holds Initiate there does it alone and at once. One person has one
    running at a time, and does not freeze the same again, nor a part of it, within seven days.

    Raises: Refused for any of that, or without that right; Invalid for hours beyond 1 to 72, or without a reason;
    NotFound for an Account of another Organization.
    """
    reason = notes.clean(reason, field="reason", max_length=REASON_LENGTH)
    if not reason:
        raise Invalid("Say why, so that whoever is told of it knows what to do.", field="reason")
    if not 1 <= hours <= MOST_HOURS:
        raise Invalid(f"From 1 to {MOST_HOURS} hours. To freeze for longer is a request.", field="hours")
    lock_history(actor.organization_id)
    if place.account_id is not None and not actor.organization.accounts.filter(pk=place.account_id).exists():
        raise NotFound("There is no such Account in this Organization.")
    if not right_there(actor, Right.INITIATE, place.workflow, place.account_id):
        raise Refused(lacking(place.workflow, Right.INITIATE))
    said = bar_to_freeze(place, actor)
    if said:
        raise Refused(said)
    for lapsed in _lapsed().filter(made_by=actor):
        # What is over gives the one place back that the database keeps for each member.
        _end_by_itself(lapsed)
    now = timezone.now()
    made = Freeze.objects.create(
        organization=actor.organization,
        workflow=place.workflow.value,
        account_id=place.account_id,
        destination=place.destination,
        label=place.label,
        made_by=actor,
        reason=reason,
        started_at=now,
        ends_at=now + timedelta(hours=hours),
    )
    record(
        EventKind.FREEZE_BEGUN,
        actor=actor,
        subject=made,
        workflow=place.workflow,
        account_id=place.account_id,
        until=made.ends_at,
        reason=reason,
    )
    mail.tell(made, mail.BEGUN)
    return made


def bar_to_freeze(place: Place, actor: "Member") -> str:
    """Why `actor` may not freeze that alone now, to them; empty where they may."""
    mine, now = Freeze.objects.filter(made_by=actor), timezone.now()
    alone = mine.filter(ended_at=None, extended_at=None, ends_at__gt=now).first()
    if alone is not None:
        return (
            f"Your freeze of {alone.label} is still running, and nobody has two at a time. It has to be lifted first, "
            "or end; or another member freezes this."
        )
    wider = Q(account=None) | Q(account=place.account_id)
    same = Q(destination="") | Q(destination=place.destination)
    lately = mine.filter(wider, same, workflow=place.workflow, started_at__gt=now - NOT_AGAIN_WITHIN).first()
    if lately is not None:
        return (
            f"You froze {lately.label} less than seven days ago. Another member has to do it this time, or you ask "
            "that a freeze which runs lasts longer."
        )
    return ""


def running(organization_id: int) -> QuerySet[Freeze]:
    """The freezes that run in an Organization now."""
    return Freeze.objects.filter(organization=organization_id, ended_at=None, ends_at__gt=timezone.now())


def record_lapsed() -> int:
    """Write down which freezes have ended by themselves, and say how many. Only the history waits for it."""
    ended = 0
    for pk, organization_id in list(_lapsed().order_by("pk").values_list("pk", "organization_id")):
        with transaction.atomic():
            lock_history(organization_id)
            row = _lapsed().select_for_update(of=("self",)).filter(pk=pk).first()
            ended += _end_by_itself(row) if row is not None else 0
    return ended


def _lapsed() -> QuerySet[Freeze]:
    return Freeze.objects.filter(ended_at=None, ends_at__lte=timezone.now())


def _end_by_itself(row: Freeze) -> int:
    row.ended_at = row.ends_at
    row.save(update_fields=["ended_at"])
    record(
        EventKind.FREEZE_LAPSED,
        actor=portal(row.organization_id),
        subject=row,
        workflow=row.workflow,
        account_id=row.account_id,
        ended=row.ends_at,
    )
    return 1
