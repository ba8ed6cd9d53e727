"""What runs of the emergency stops in one Organization: who stopped what, and since when (DESIGN §4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal, TypeAlias

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ApiKey, Member, Organization, ServiceUser
from accounts.models.api_key import CLAIM_WITHIN, short_of
from accounts.models.member import not_suspended
from portal.core.database.compiled import given
from portal.core.database.compiled.given import Instant, Key
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.rows import Rows, instant

Kind: TypeAlias = Literal["member", "bot", "key"]


@dataclass(frozen=True, slots=True)
class Puller:
    """The Member who stopped something."""

    pk: int
    label: str


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing that one member stopped: `kind` is `member`, `bot` or `key`. `until` None has no end of its own."""

    kind: Kind
    pk: int
    label: str
    since: datetime
    by: Puller
    until: datetime | None = None
    bot: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """All that one member stopped and that is still stopped."""

    by: Puller
    stops: tuple[Stop, ...]


def members(organization_id: Key, now: Instant | None = None) -> QuerySet[Member]:
    """The Members whom one person alone suspended, and who are out now."""
    rows: QuerySet[Member] = Member.objects.filter(
        organization_id=organization_id, removed_at=None, suspended_until__isnull=False, suspended_by__isnull=False
    )
    return rows.exclude(not_suspended(now)).select_related("user", "organization", "suspended_by__user")


def bots(organization_id: Key) -> QuerySet[ServiceUser]:
    """The Service Users that somebody suspended."""
    rows = ServiceUser.objects.filter(
        organization_id=organization_id, removed_at=None, suspended_at__isnull=False, suspended_by__isnull=False
    )
    return rows.select_related("suspended_by__user")


def keys(organization_id: Key, now: Instant | None = None) -> QuerySet[ApiKey]:
    """The keys that are paused and could work otherwise, before long or at once."""
    rows = ApiKey.objects.filter(
        service_user__organization_id=organization_id,
        service_user__removed_at=None,
        paused_at__isnull=False,
        revoked_at=None,
    )
    expired = Q(expires_at__lte=timezone.now() if now is None else now)
    return rows.exclude(expired).select_related("service_user", "made_by", "paused_by__user")


def stops(organization_id: int) -> list[Stop]:
    """Everything, by kind and age, in one query."""
    now = timezone.now()
    [found] = _statement().run(organization=organization_id, now=now, made=now - CLAIM_WITHIN)
    return [
        *_aged(
            Stop("member", pk, name, instant(since), Puller(by_pk, by_name), instant(until))
            for pk, name, since, by_pk, by_name, until in found["people"]
        ),
        *_aged(
            Stop("bot", pk, name, instant(since), Puller(by_pk, by_name), bot=name)
            for pk, name, since, by_pk, by_name in found["programs"]
        ),
        *_aged(
            Stop("key", pk, short_of(public), instant(since), Puller(by_pk, by_name), bot=bot)
            for pk, public, since, by_pk, by_name, bot in found["credentials"]
        ),
    ]


@cache
def _statement() -> Statement:
    """Compiled once: the inbox asks for it each time, and nearly always there is nothing."""
    organization, now = given.key("organization"), given.instant("now")
    by = ("suspended_by", "suspended_by__user__name")
    claimed = keys(organization, now).exclude(revealed_at=None, created_at__lte=given.instant("made"))
    return compiled(
        Organization.objects.filter(pk=organization).values(
            people=Rows(members(organization, now), "pk", "user__name", "suspended_at", *by, "suspended_until"),
            programs=Rows(bots(organization), "pk", "name", "suspended_at", *by),
            credentials=Rows(
                claimed.filter(paused_by__isnull=False),
                "pk", "public", "paused_at", "paused_by", "paused_by__user__name", "service_user__name",
            ),
        )
    )  # fmt: skip


def by_member(organization_id: int) -> list[Stopped]:
    """The same by who stopped it, the one who did so first before the others."""
    found = sorted(stops(organization_id), key=lambda stop: stop.since)
    people = {stop.by.pk: stop.by for stop in found}
    return [Stopped(by, tuple(stop for stop in found if stop.by.pk == pk)) for pk, by in people.items()]


def _aged(found: Iterable[Stop]) -> list[Stop]:
    return sorted(found, key=lambda stop: (stop.since, stop.pk))
