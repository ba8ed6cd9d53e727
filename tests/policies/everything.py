"""All that an Organization is, as the rules could see it: every bot and every key there ever was.

What `policies.snapshot` gathers is a part of this, chosen for what is asked. The tests hold the two side by side.
"""

from collections import defaultdict

from django.conf import settings
from django.utils import timezone

from policies.models import Grant, GroupMember, Policy
from policies.rules import Bot, Facts, Held, Key, Person, Terms
from policies.snapshot.stored_rules import read_rules


def everything(organization) -> Facts:
    rows = organization.policies.order_by("pk")
    return Facts(
        level=type(organization).objects.get(pk=organization.pk).second_factor_level,
        accounts=dict(organization.accounts.order_by("pk").values_list("pk", "name")),
        people=_people(organization),
        bots=_bots(organization),
        policies=tuple(_terms(policy) for policy in rows),
        groups=dict(organization.groups.filter(removed_at=None).order_by("pk").values_list("pk", "name")),
    )


def _terms(policy: Policy) -> Terms:
    asked = (policy.approvals, policy.always, policy.open_hours, policy.is_locked)
    return Terms(policy.workflow, *asked, read_rules(policy.rules))


def _people(organization) -> tuple[Person, ...]:
    awaiting = _awaiting(organization)
    return tuple(
        Person(
            member_id=member.pk,
            user_id=member.user_id,
            name=member.label,
            is_active=member.is_active,
            comes_back=_is_away(member) and member.suspended_until is not None,
            is_kept_out=_is_away(member) and member.suspended_until is None,
            is_verified=member.is_verified,
            is_resting=member.is_resting,
            awaits_power=member.pk in awaiting,
            reset_at=member.factors_reset_at,
            joined_at=member.joined_at,
            factors=frozenset(
                kind
                for kind, rows in (("totp", member.authenticators), ("passkey", member.passkeys))
                if rows.filter(confirmed=True).exists()
            ),
            grants=frozenset(
                Held(*held)
                for held in Grant.objects.filter(member=member).values_list("workflow", "right", "account_id")
            ),
            groups=frozenset(
                GroupMember.objects.filter(member=member, group__removed_at=None).values_list("group", flat=True)
            ),
        )
        for member in organization.members.order_by("user__name", "pk")
    )


def _is_away(member) -> bool:
    return member.is_suspended and member.removed_at is None and member.user.is_active


def _awaiting(organization) -> set[int]:
    now = timezone.now()
    keys = organization.service_users.filter(
        removed_at=None,
        keys__revealed_at=None,
        keys__revoked_at=None,
        keys__created_at__gt=now - settings.CLAIM_KEY_WITHIN,
    )
    offers = organization.ownership_offers.filter(
        accepted_at=None, declined_at=None, lapsed_at=None, expires_at__gt=now
    )
    return {*keys.values_list("keys__made_by", flat=True), *offers.values_list("to", flat=True)}


def _bots(organization) -> tuple[Bot, ...]:
    bots, now = organization.service_users, timezone.now()
    custodians: dict[int, set[int]] = defaultdict(set)
    kept = bots.filter(keys__custodians__isnull=False)
    for key_id, user_id in kept.values_list("keys", "keys__custodians__member__user_id"):
        custodians[key_id].add(user_id)
    keys: dict[int, list[Key]] = defaultdict(list)
    fields = ("pk", "keys", "keys__made_by__user_id", "keys__revoked_at", "keys__expires_at")
    for bot, key_id, made_by, revoked_at, expires_at in (
        bots.filter(keys__isnull=False).order_by("keys").values_list(*fields)
    ):
        is_live = revoked_at is None and (expires_at is None or expires_at > now)
        keys[bot].append(Key(key_id, frozenset(custodians[key_id] | {made_by}), is_live))
    return tuple(
        Bot(
            service_user_id=bot.pk,
            name=bot.name,
            account_id=bot.account_id,
            is_active=bot.is_active,
            permissions=frozenset(bot.permissions),
            keys=tuple(keys[bot.pk]),
        )
        for bot in bots.order_by("name", "pk")
    )
