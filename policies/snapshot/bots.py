"""Service Users as the rules see them: those that hold Withdraw, and those that ask, with the keys that matter."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from django.db.models import FilteredRelation, Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from policies.rules import WITHDRAW, Bot, Key

if TYPE_CHECKING:
    from accounts.models import Organization

# A Service User and the key through which it asks, by primary key.
Asking: TypeAlias = tuple[int, int | None]
FIELDS: Final = ("pk", "name", "account_id", "suspended_at", "removed_at", "permissions")
KEY: Final = ("pk", "made_by__user_id", "revoked_at", "expires_at", "paused_at", "custodians__member__user_id")


def bots(organization: "Organization", asking: Collection[Asking], *, withdrawing: bool) -> tuple[Bot, ...]:
    """Those of `asking`, and with `withdrawing` all that hold Withdraw, by name, in one query.

    Each has its live keys and those through which it asks. Where it asks through one that is none of its own, it has
    all that it ever had: their custodians are barred together (`Bot.through`).
    """
    askers = {service_user_id for service_user_id, _ in asking}
    seen = Q(pk__in=askers)
    if withdrawing:
        seen |= Q(said__contains=f'"{WITHDRAW}"')
    through = {key_id for _, key_id in asking if key_id is not None}
    live = Q(keys__revoked_at=None) & (Q(keys__expires_at=None) | Q(keys__expires_at__gt=timezone.now()))
    found = _loaded(organization, seen, live | Q(keys__in=through))
    lost = {pk for pk, key_id in asking if key_id is not None and pk in found and not _has(found[pk], key_id)}
    if lost:
        found |= _loaded(organization, Q(pk__in=lost), Q(keys__isnull=False))
    return tuple(bot for bot in found.values() if bot.service_user_id in askers or bot.holds_withdraw)


def _loaded(organization: "Organization", seen: Q, kept: Q) -> dict[int, Bot]:
    """The bots that are `seen`, with those of their keys that are `kept`, in one query."""
    rows = organization.service_users.alias(said=Cast("permissions", TextField())).filter(seen)
    rows = rows.annotate(kept=FilteredRelation("keys", condition=kept)).order_by("name", "pk", "kept__pk")
    found: dict[int, Bot] = {}
    keys: dict[int, dict[int, Key]] = defaultdict(dict)
    now = timezone.now()
    for row in rows.values_list(*FIELDS, *(f"kept__{name}" for name in KEY)):
        pk, name, account_id, suspended_at, removed_at, permissions = row[: len(FIELDS)]
        key_id, made_by, revoked_at, expires_at, paused_at, custodian = row[len(FIELDS) :]
        is_active = suspended_at is None and removed_at is None
        found.setdefault(pk, Bot(pk, name, account_id, is_active, frozenset(permissions)))
        if key_id is None:
            continue
        is_live = revoked_at is None and (expires_at is None or expires_at > now)
        key = keys[pk].setdefault(key_id, Key(key_id, frozenset({made_by}), is_live, paused_at is not None))
        if custodian is not None:
            keys[pk][key_id] = replace(key, custodians=key.custodians | {custodian})
    return {pk: replace(bot, keys=tuple(keys[pk].values())) for pk, bot in found.items()}


def _has(bot: Bot, key_id: int) -> bool:
    return any(key.key_id == key_id for key in bot.keys)
