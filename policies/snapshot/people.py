"""Members as the rules see them: with their rights, their factors, and the power on its way to them."""

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from policies.models import Grant, GroupMember
from policies.rules import Held, Person
from portal.core.database.rows import Rows
from portal.core.factors import PASSKEY, TOTP

if TYPE_CHECKING:
    from accounts.models import Member, Organization

    class Read(Member):
        """A Member with what the query says besides."""

        held: list[tuple[str, str, int | None]]
        in_groups: list[tuple[int]]
        has_app: bool
        has_passkey: bool
        awaits_power: bool


def people(organization: "Organization") -> tuple[Person, ...]:
    """Every Member there ever was, by name, in one query."""
    members = organization.members.select_related("user").order_by("user__name", "pk")
    me = members.model.objects.filter(pk=OuterRef("pk"))
    having = members.annotate(
        held=Rows(Grant.objects.filter(member=OuterRef("pk")), "workflow", "right", "account_id"),
        in_groups=Rows(GroupMember.objects.filter(member=OuterRef("pk"), group__removed_at=None), "group_id"),
        # Only what counts in this very place (DESIGN M4).
        has_app=Exists(me.filter(authenticators__confirmed=True)),
        has_passkey=Exists(me.filter(passkeys__confirmed=True)),
        awaits_power=Exists(me.filter(_claims_a_key())) | Exists(me.filter(_is_offered_the_ownership())),
    )
    return tuple(_person(cast("Read", member)) for member in having)


def _person(member: "Read") -> Person:
    factors = ((TOTP, member.has_app), (PASSKEY, member.has_passkey))
    return Person(
        member_id=member.pk,
        user_id=member.user_id,
        name=member.label,
        is_active=member.is_active,
        comes_back=_is_away(member) and member.suspended_until is not None,
        is_kept_out=_is_away(member) and member.suspended_until is None,
        is_verified=member.is_verified,
        is_resting=member.is_resting,
        awaits_power=member.awaits_power,
        reset_at=member.factors_reset_at,
        joined_at=member.joined_at,
        factors=frozenset(kind for kind, has in factors if has),
        grants=_grants(tuple(map(tuple, member.held))),
        groups=frozenset(group for (group,) in member.in_groups),
    )


@lru_cache(maxsize=1024)
def _grants(held: tuple[tuple[str, str, int | None], ...]) -> frozenset[Held]:
    """One and the same set for everybody who holds the same: rules that compare people find that at once."""
    return frozenset(Held(*each) for each in held)


def _is_away(member: "Member") -> bool:
    """Whether nothing but a suspension keeps them from being active."""
    return member.is_suspended and member.removed_at is None and member.user.is_active


def _claims_a_key() -> Q:
    """Whether a key waits that they alone can reveal: power that is on its way to them."""
    return Q(
        keys_made__service_user__removed_at=None,
        keys_made__revealed_at=None,
        keys_made__revoked_at=None,
        keys_made__created_at__gt=timezone.now() - settings.CLAIM_KEY_WITHIN,
    )


def _is_offered_the_ownership() -> Q:
    return Q(
        ownership_offers__accepted_at=None,
        ownership_offers__declined_at=None,
        ownership_offers__lapsed_at=None,
        ownership_offers__expires_at__gt=timezone.now(),
    )
