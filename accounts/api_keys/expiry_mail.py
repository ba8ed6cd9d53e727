"""Telling people by mail of keys that are about to expire or that nobody uses: once each (DESIGN K6)."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.api_keys.expiry import BEFORE, NEVER_USED, UNUSED, due
from accounts.authentication.email_links import absolute
from accounts.models import ApiKey, KeyNotice, Member, Organization
from policies.snapshot import gather
from policies.workflows import Workflow
from portal.core.display.phrases import dated
from portal.jobs import mail
from portal.jobs.isolated_loop import each

FIRST: Final = max(days for days, _ in BEFORE)
SUBJECTS: Final = {
    "expires_1": "A key of {bot} expires within a day",
    "expires_7": "A key of {bot} expires within 7 days",
    "expires_30": "A key of {bot} expires within 30 days",
    "never_used": "A key of {bot} was never used",
    "unused": "A key of {bot} is unused for 90 days",
}


def announce_due() -> int:
    """Mail every warning that is due and was not mailed before, and say how many there were.

    It may run at any time, twice, or on two nodes at once: the mark in the database lets each warning out once.
    """
    now = timezone.now()
    people: dict[int, tuple[str, ...]] = {}

    def announce(key: ApiKey) -> int:
        organization, announced = key.service_user.organization, 0
        for kind, about in due(key, now):
            if organization.pk not in people:
                people[organization.pk] = _administrators(organization)
            announced += _announce(key, kind, about, people[organization.pk])
        return announced

    return each(_candidates(now), announce, what="announce what a key is near to")


def _candidates(now: datetime) -> list[ApiKey]:
    concerned = (
        Q(expires_at__gt=now, expires_at__lte=now + timedelta(days=FIRST))
        | Q(last_used_at__lte=now - UNUSED)
        | Q(last_used_at=None, revealed_at__lte=now - NEVER_USED)
    )
    working = ApiKey.objects.filter(
        concerned, is_active=True, service_user__suspended_at=None, service_user__removed_at=None
    )
    return list(working.select_related("service_user__organization").order_by("pk"))


@transaction.atomic
def _announce(key: ApiKey, kind: str, about: datetime, administrators: tuple[str, ...]) -> bool:
    _, is_new = KeyNotice.objects.get_or_create(api_key=key, kind=kind, about=about, defaults={"at": timezone.now()})
    if is_new:
        bot = key.service_user
        mail.send(
            "key_notice",
            to=sorted({*administrators, *_custodians(key)}),
            context={
                "subject": SUBJECTS[kind].format(bot=bot.name),
                "kind": kind,
                "bot": bot.name,
                "organization": bot.organization.name,
                "short": key.short,
                "about": f"{dated(about)} UTC",
                "page": absolute(reverse("accounts:service_user", args=[bot.name]), of=bot.organization_id),
            },
        )
    return is_new


def _administrators(organization: Organization) -> tuple[str, ...]:
    """Who could do something about it: Members who may initiate on Manage Access."""
    facts = gather(organization)
    able = [person.member_id for person in facts.people if person.may_initiate(Workflow.MANAGE_ACCESS)]
    return tuple(Member.objects.filter(pk__in=able).values_list("user__email", flat=True))


def _custodians(key: ApiKey) -> tuple[str, ...]:
    held = Member.objects.active().filter(custodies__api_key=key)
    return tuple(held.values_list("user__email", flat=True))
