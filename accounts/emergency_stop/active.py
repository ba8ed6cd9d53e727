"""What runs of the emergency stops in one Organization: who stopped what, and since when (DESIGN §4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import ApiKey, Member, ServiceUser
from accounts.models.member import not_suspended

Kind: TypeAlias = Literal["member", "bot", "key"]


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing that one member stopped: `kind` is `member`, `bot` or `key`. `until` None has no end of its own."""

    kind: Kind
    pk: int
    label: str
    since: datetime
    by: Member
    until: datetime | None = None
    bot: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """All that one member stopped and that is still stopped."""

    by: Member
    stops: tuple[Stop, ...]


def members(organization_id: int) -> QuerySet[Member]:
    """The Members whom one person alone suspended, and who are out now."""
    rows: QuerySet[Member] = Member.objects.filter(
        organization_id=organization_id, removed_at=None, suspended_until__isnull=False, suspended_by__isnull=False
    )
    return rows.exclude(not_suspended()).select_related("user", "organization", "suspended_by__user")


def bots(organization_id: int) -> QuerySet[ServiceUser]:
    """The Service Users that somebody suspended."""
    rows = ServiceUser.objects.filter(
        organization_id=organization_id, removed_at=None, suspended_at__isnull=False, suspended_by__isnull=False
    )
    return rows.select_related("suspended_by__user")


def keys(organization_id: int) -> QuerySet[ApiKey]:
    """The keys that are paused and could work otherwise, before long or at once."""
    rows = ApiKey.objects.filter(
        service_user__organization_id=organization_id,
        service_user__removed_at=None,
        paused_at__isnull=False,
        revoked_at=None,
    )
    return rows.exclude(expires_at__lte=timezone.now()).select_related("service_user", "made_by", "paused_by__user")


def stops(organization_id: int) -> list[Stop]:
    """Everything, by kind and age, in three queries."""
    return list(_stops(organization_id))


def by_member(organization_id: int) -> list[Stopped]:
    """The same by who stopped it, the one who did so first before the others."""
    found = sorted(stops(organization_id), key=lambda stop: stop.since)
    people = {stop.by.pk: stop.by for stop in found}
    return [Stopped(by, tuple(stop for stop in found if stop.by.pk == pk)) for pk, by in people.items()]


def _stops(organization_id: int) -> Iterator[Stop]:
    for member in members(organization_id).order_by("suspended_at", "pk"):
        if member.suspended_at is not None and member.suspended_by is not None:
            yield Stop(
                "member", member.pk, member.label, member.suspended_at, member.suspended_by, member.suspended_until
            )
    for bot in bots(organization_id).order_by("suspended_at", "pk"):
        if bot.suspended_at is not None and bot.suspended_by is not None:
            yield Stop("bot", bot.pk, bot.name, bot.suspended_at, bot.suspended_by, bot=bot.name)
    for key in keys(organization_id).order_by("paused_at", "pk"):
        if not key.is_over and key.paused_at is not None and key.paused_by is not None:
            yield Stop("key", key.pk, key.short, key.paused_at, key.paused_by, bot=key.service_user.name)
