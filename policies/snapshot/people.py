"""Members as the rules see them: with their rights, their factors, and the power on its way to them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import JSONArray
from django.utils import timezone

from policies.models import Grant, GroupMember
from policies.rights import VERIFIED
from policies.rules import Held, Person
from portal.core.database.compiled import given
from portal.core.database.compiled.given import Instant
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.rows import Rows, instant
from portal.core.factors import PASSKEY, TOTP

if TYPE_CHECKING:
    from accounts.models import Member, Organization


def people(organization: "Organization") -> tuple[Person, ...]:
    """Every Member there ever was, by name, in one query."""
    members: type[Member] = organization.members.model
    now = timezone.now()
    rows = _statement(members).run(
        organization=organization.pk,
        now=now,
        rested=members.objects.rested_since(),
        made=now - settings.CLAIM_KEY_WITHIN,
    )
    return tuple(map(_person, rows))


@cache
def _statement(members: "type[Member]") -> Statement:
    """Compiled once: with some hundred Members to make objects of takes longer than all that the rules ask."""
    now = given.instant("now")
    me = members.objects.filter(pk=OuterRef("pk"))
    columns = {
        "about": JSONArray("pk", "user_id", "user__name", "factors_reset_at", "joined_at"),
        "is_active": Exists(me.active(now)),
        "is_at_home": ExpressionWrapper(Q(removed_at=None, user__is_active=True), BooleanField()),
        "ends": ExpressionWrapper(Q(suspended_until__isnull=False), BooleanField()),
        "is_verified": ExpressionWrapper(Q(identity=VERIFIED), BooleanField()),
        "is_resting": Exists(me.resting(given.instant("rested"))),
        "held": Rows(Grant.objects.filter(member=OuterRef("pk")), "workflow", "right", "account_id"),
        "in_groups": Rows(GroupMember.objects.filter(member=OuterRef("pk"), group__removed_at=None), "group_id"),
        # Only what counts in this very place (DESIGN M4).
        "has_app": Exists(me.filter(authenticators__confirmed=True)),
        "has_passkey": Exists(me.filter(passkeys__confirmed=True)),
        "claims_a_key": Exists(me.filter(_claims_a_key(given.instant("made")))),
        "is_offered": Exists(me.filter(_is_offered_the_ownership(now))),
    }
    return compiled(members.objects.of(given.key("organization")).order_by("user__name", "pk").values(**columns))


def _person(row: Mapping[str, Any]) -> Person:
    member_id, user_id, name, reset_at, joined_at = row["about"]
    is_away = row["is_at_home"] and not row["is_active"]
    return Person(
        member_id=member_id,
        user_id=user_id,
        name=name,
        is_active=row["is_active"],
        comes_back=is_away and row["ends"],
        is_kept_out=is_away and not row["ends"],
        is_verified=row["is_verified"],
        is_resting=row["is_resting"],
        awaits_power=row["claims_a_key"] or row["is_offered"],
        reset_at=_instant(reset_at),
        joined_at=_instant(joined_at),
        factors=_factors(row["has_app"], row["has_passkey"]),
        grants=_grants(tuple(map(tuple, row["held"]))),
        groups=frozenset(group for (group,) in row["in_groups"]),
    )


@lru_cache(maxsize=1024)
def _grants(held: tuple[tuple[str, str, int | None], ...]) -> frozenset[Held]:
    """One and the same set for everybody who holds the same: rules that compare people find that at once."""
    return frozenset(Held(*each) for each in held)


@cache
def _factors(*has: bool) -> frozenset[str]:
    return frozenset(kind for kind, is_there in zip((TOTP, PASSKEY), has, strict=True) if is_there)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def _claims_a_key(made_after: Instant) -> Q:
    """Whether a key waits that they alone can reveal: power that is on its way to them."""
    return Q(
        keys_made__service_user__removed_at=None,
        keys_made__revealed_at=None,
        keys_made__revoked_at=None,
        keys_made__created_at__gt=made_after,
    )


def _is_offered_the_ownership(now: Instant) -> Q:
    return Q(
        ownership_offers__accepted_at=None,
        ownership_offers__declined_at=None,
        ownership_offers__lapsed_at=None,
        ownership_offers__expires_at__gt=now,
    )
