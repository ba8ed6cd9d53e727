"""Telling of a freeze: who froze, and all who approve there or on Manage Access, as of every brake (DESIGN §4)."""

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone, translation
from django_tasks import task

from policies.models import Freeze, Grant
from policies.workflows import Right, Workflow
from portal.audit.record import encoded
from portal.core.display.phrases import dated
from portal.jobs import mail
from portal.jobs.isolated_loop import each

if TYPE_CHECKING:
    from accounts.models import Member

BEGUN: Final = "begun"
EXTENDED: Final = "extended"
LIFTED: Final = "lifted"
SAID: Final = {BEGUN: "froze", EXTENDED: "prolonged the freeze of", LIFTED: "lifted the freeze of"}


def tell(freeze: Freeze, what: str, *, by: str = "", by_member: int | None = None) -> None:
    """Queue the mail about a freeze; who is told is worked out when it is written. Nobody is told of their own act."""
    write.enqueue(freeze.pk, what, by or freeze.made_by.label, by_member or freeze.made_by_id)


@task()
def write(freeze_id: int, what: str, by: str, by_member: int) -> None:
    """Write to everybody whom it concerns, whatever mail they chose: it is about the safety of the Organization."""
    freeze = Freeze.objects.select_related("organization").filter(pk=freeze_id).first()
    if freeze is None:
        return

    def one(reader: "Member") -> int:
        zone = ZoneInfo(reader.user.time_zone)
        with transaction.atomic(), translation.override(reader.user.language), timezone.override(zone):
            mail.send("freeze", to=[reader.user.email], context=_words(freeze, reader, SAID[what], by))
        return 1

    # What one reader's row holds must not keep the mail from the others.
    each(told(freeze, but=by_member), one, what="write to one reader about a freeze")


def told(freeze: Freeze, *, but: int) -> "list[Member]":
    """Who froze, and all who approve there or on Manage Access."""
    approving = Grant.objects.filter(member=OuterRef("pk"), right__in=Right.APPROVE.given_by)
    there = Q(workflow=freeze.workflow)
    if freeze.account_id is not None:
        there &= Q(account=None) | Q(account=freeze.account_id)
    concerned = Q(Exists(approving.filter(there | Q(workflow=Workflow.MANAGE_ACCESS))))
    rows = freeze.organization.members.active().filter(concerned | Q(pk=freeze.made_by_id)).exclude(pk=but)
    return list(rows.select_related("user").order_by("pk"))


def _words(freeze: Freeze, reader: "Member", did: str, by: str) -> dict[str, object]:
    path = reverse("policies:freezes")
    return {
        "name": reader.user.name,
        "organization": encoded(freeze.organization.name),
        "by": encoded(by),
        "did": did,
        "what": encoded(freeze.label),
        "reason": encoded(freeze.reason),
        "froze": encoded(freeze.made_by.label),
        "is_over": freeze.ended_at is not None,
        "until": f"{dated(timezone.localtime(freeze.ends_at))} ({timezone.get_current_timezone_name()})",
        "link": f"{settings.BASE_URL}{path}?of={freeze.organization_id}",
    }
