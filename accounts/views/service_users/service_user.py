"""The page of one Service User, shared by the views that answer with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.api_keys.expiry import warnings
from accounts.api_keys.permission_catalogue import catalogue
from accounts.api_keys.streaming import sockets
from accounts.api_keys.usage_report import KINDS, Calls, calls_of
from accounts.forms.service_users.service_users import ConfirmForm
from accounts.models import ApiKey, Custodian, ServiceUser
from accounts.models.service_user import PERMISSION_GROUPS, Permission
from accounts.service_users.key_descriptions import overlap
from accounts.service_users.key_settings import Limits, limits_of
from accounts.service_users.risk import at_worst, caps_in_words, coverage
from policies.access import allows
from policies.workflows import Right, Workflow
from portal.core.display.markup import Level
from portal.core.web.http import MemberRequest

LIVE: Final[tuple[str, Level]] = ("Live", "done")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key as the page shows it. `form` is there for whoever may reveal its secret now."""

    key: ApiKey
    state: str
    level: Level
    form: ConfirmForm | None
    overlap: str
    number: int
    calls: Calls
    warnings: tuple[str, ...]
    lift: ConfirmForm | None
    is_yours: bool


@dataclass(frozen=True, slots=True)
class Held:
    """One permission as the page draws it."""

    label: str
    has: bool
    moves_money: bool
    is_served: bool


@dataclass(frozen=True, slots=True)
class BotRow:
    """One bot of the list."""

    bot: ServiceUser
    state: str
    level: Level
    may: str
    last_used_at: datetime | None


def row_of(bot: ServiceUser, keys: list[ApiKey]) -> BotRow:
    """A bot as the list shows it; `keys` newest first."""
    state: tuple[str, Level] = ("Removed", "void") if bot.removed_at else ("No key", "void")
    if keys and not bot.removed_at:
        states = [state_of(bot, key) for key in keys]
        state = next((live for live in states if live == LIVE), states[0])
    held = len(bot.permissions)
    money = "withdraws, " if bot.has(Permission.WITHDRAW) else ""
    return BotRow(
        bot=bot,
        state=state[0],
        level=state[1],
        may=f"{money}{held} of {len(Permission)} permissions",
        last_used_at=last_used(keys),
    )


def last_used(keys: list[ApiKey]) -> datetime | None:
    """When any of these keys was last used; None if none ever was."""
    return max((key.last_used_at for key in keys if key.last_used_at), default=None)


def bot_of(request: MemberRequest, name: str) -> ServiceUser:
    """The Organization's bot of that name, also a removed one; another Organization's is a 404."""
    bots = ServiceUser.objects.select_related("account", "organization", "suspended_by__user")
    return get_object_or_404(bots, organization=request.organization, name=name)


def page_of(
    request: MemberRequest,
    bot: ServiceUser,
    *,
    reveal_form: ConfirmForm | None = None,
    lift_form: ConfirmForm | None = None,
    remove_form: ConfirmForm | None = None,
    pause_form: tuple[int, ConfirmForm] | None = None,
) -> HttpResponse:
    """The page, with the one form that was just posted and could not be taken."""
    may_ask = allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE)
    keys = list(
        ApiKey.objects.filter(service_user=bot).select_related("made_by__user", "paused_by__user").order_by("-pk")
    )
    custodians = Custodian.objects.filter(api_key__service_user=bot).select_related("member__user").order_by("pk")
    limits = limits_of(bot)
    calls = calls_of(keys)
    may_lift = may_ask or allows(request.member, Workflow.MANAGE_ACCESS, Right.APPROVE)
    kept = {one.api_key_id for one in custodians if one.member.user_id == request.member.user_id}
    rows = [
        KeyRow(
            key,
            *state_of(bot, key),
            form=_reveal_form(request, bot, key, reveal_form) if may_ask else None,
            overlap=overlap(key.overlap_hours or 0),
            number=number,
            calls=calls[key.pk],
            warnings=warnings(key, bot),
            lift=_lift_form(request, key, pause_form) if may_lift else None,
            is_yours=key.pk in kept or key.made_by.user_id == request.member.user_id,
        )
        for number, key in zip(range(len(keys), 0, -1), keys, strict=True)
    ]
    context = {
        "bot": bot,
        "limits": limits,
        "at_worst": at_worst(limits, bot.organization.currency),
        "caps": caps_in_words(limits, bot.organization.currency),
        "covers": coverage(limits.ip_allow_list),
        "groups": list(_permissions(limits)),
        "keys": rows,
        "kinds": KINDS,
        "sockets": sockets.open_of(bot),
        "moving": _moving(keys),
        "last_used_at": last_used(keys),
        "custodians": _by_member(list(custodians)),
        "may_ask": may_ask and bot.removed_at is None,
        "may_lift": bot.suspended_at is not None and bot.removed_at is None and may_lift,
        "lift_form": lift_form or ConfirmForm(step_up=request.step_up, auto_id="id_lift_%s"),
        "remove_form": remove_form or ConfirmForm(step_up=request.step_up, auto_id="id_remove_%s"),
    }
    return render(request, "accounts/service_user.html", context)


def state_of(bot: ServiceUser, key: ApiKey) -> tuple[str, Level]:
    """Whether the key works, and if not why, in one or two words."""
    tests: tuple[tuple[bool, str, Level], ...] = (
        (key.revoked_at is not None and key.revealed_at is None and key.revoked_at >= key.claim_by, "Lapsed", "void"),
        (key.revoked_at is not None, "Revoked", "void"),
        (key.has_lapsed, "Lapsed", "void"),
        (key.has_expired and key.retires_at is not None, "Rotated out", "void"),
        (key.has_expired, "Expired", "void"),
        (bot.suspended_at is not None, "Suspended", "stop"),
        (key.paused_at is not None, "Paused", "stop"),
        (key.revealed_at is None, "Waiting to be revealed", "wait"),
        (key.retires_at is not None, "Rotating out", "wait"),
    )
    return next(((words, level) for applies, words, level in tests if applies), LIVE)


def _reveal_form(
    request: MemberRequest, bot: ServiceUser, key: ApiKey, posted: ConfirmForm | None
) -> ConfirmForm | None:
    """What the maker of a key that waits for them may press."""
    if not bot.is_active or not key.is_claimable or key.has_expired or key.made_by_id != request.member.pk:
        return None
    return posted or ConfirmForm(step_up=request.step_up, auto_id="id_reveal_%s")


def _lift_form(request: MemberRequest, key: ApiKey, posted: tuple[int, ConfirmForm] | None) -> ConfirmForm | None:
    """What asks that a paused key works again."""
    if key.paused_at is None or key.is_over:
        return None
    if posted is not None and posted[0] == key.pk:
        return posted[1]
    return ConfirmForm(step_up=request.step_up, auto_id=f"id_pause_{key.pk}_%s")


def _moving(keys: list[ApiKey]) -> tuple[ApiKey, ApiKey] | None:
    """The key that is rotating out and the one that replaces it, while both work."""
    old = next((key for key in keys if key.retires_at is not None and not key.is_over), None)
    new = next((key for key in keys if key.retires_at is None and key.is_active and not key.is_over), None)
    return (old, new) if old is not None and new is not None else None


def _permissions(limits: Limits) -> Iterator[tuple[str, list[Held]]]:
    for title, group in PERMISSION_GROUPS.items():
        yield (
            title,
            [
                Held(
                    label=permission.label,
                    has=permission in limits.permissions,
                    moves_money=permission == Permission.WITHDRAW and permission in limits.permissions,
                    is_served=permission in catalogue().served,
                )
                for permission in group
            ],
        )


def _by_member(custodians: list[Custodian]) -> list[tuple[Custodian, str]]:
    """Each custodian once, with every way in which they came to it."""
    reasons: dict[int, dict[str, None]] = {}
    first: dict[int, Custodian] = {}
    for custodian in custodians:
        first.setdefault(custodian.member_id, custodian)
        reasons.setdefault(custodian.member_id, {})[custodian.reason] = None
    return [(custodian, ", ".join(reasons[member_id])) for member_id, custodian in first.items()]
