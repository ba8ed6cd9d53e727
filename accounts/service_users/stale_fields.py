"""What requests about Service Users would write, as it is now (DESIGN R6)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from accounts.models import ApiKey, ServiceUser
from accounts.models.service_user import Permission
from accounts.service_users.key_settings import Limits, limits_of
from policies.registry import Touched
from portal.core.money import plain

if TYPE_CHECKING:
    from accounts.service_users.params import (
        ChangeServiceUser,
        CreateServiceUser,
        LiftSuspension,
        RemoveServiceUser,
        RotateKey,
    )
    from policies.models import ChangeRequest

GONE: Final = "removed already"


def by_creation(*, params: "CreateServiceUser", change: "ChangeRequest") -> tuple[Touched, ...]:
    """The name, which only one bot can have."""
    named = ServiceUser.objects.filter(organization_id=change.organization_id, name__iexact=params.name)
    return (Touched(f"Service user {params.name}", "there already" if named.exists() else "none", "there"),)


def by_alteration(*, params: "ChangeServiceUser", change: "ChangeRequest") -> tuple[Touched, ...]:
    """Permissions and settings, which are given as a whole."""
    bot = _bot(change, params.service_user_id)
    now = _limits(limits_of(bot)) if bot else {}
    return tuple(Touched(name, now.get(name, GONE), wanted) for name, wanted in _limits(params.after).items())


def by_rotation(*, params: "RotateKey", change: "ChangeRequest") -> tuple[Touched, ...]:
    """The newest key, and the limits that the one after it takes over."""
    bot = _bot(change, params.service_user_id)
    newest = ApiKey.objects.filter(service_user=bot).order_by("-pk").first() if bot else None
    now = _limits(limits_of(bot)) if bot else {}
    now_newest = (newest.short, str(newest.pk)) if newest else ("none", "none")
    key = Touched("Newest key", now_newest[0], "another", mark=now_newest[1])
    limits = _limits(params.new_limits).items()
    return (key, *(Touched(name, now.get(name, GONE), wanted) for name, wanted in limits))


def by_lifting(*, params: "LiftSuspension", change: "ChangeRequest") -> tuple[Touched, ...]:
    """The suspension."""
    bot = _bot(change, params.service_user_id)
    now = GONE if bot is None else f"since {_instant(bot.suspended_at)}" if bot.suspended_at else "no"
    return (Touched("Suspended", now, "no"),)


def by_removal(*, params: "RemoveServiceUser", change: "ChangeRequest") -> tuple[Touched, ...]:
    """Whether it is there."""
    bot = _bot(change, params.service_user_id)
    return (Touched("Service user", "there" if bot else GONE, "removed"),)


def _bot(change: "ChangeRequest", service_user_id: int) -> ServiceUser | None:
    bots = ServiceUser.objects.filter(organization_id=change.organization_id, removed_at=None)
    return bots.filter(pk=service_user_id).first()


def _limits(limits: Limits) -> dict[str, str]:
    return {
        "Permissions": _listed([p.label for p in Permission if p in limits.permissions], "none"),
        "Expiry": _instant(limits.expires_at, "never"),
        "IP allow-list": _listed(limits.ip_allow_list, "any address"),
        "Queries from": _instant(limits.query_start, "the beginning"),
        "Queries until": _instant(limits.query_end, "no end"),
        "WebSocket": "on" if limits.websocket else "off",
        "Nonce window": str(limits.nonce_window),
        "Purpose": limits.purpose or "none",
        "Most at once": _amount(limits.withdrawal_cap),
        "Most in 24 hours": _amount(limits.daily_cap),
    }


def _amount(cap: Decimal | None) -> str:
    return "no limit" if cap is None else plain(cap)


def _listed(words: Sequence[str], nothing: str) -> str:
    return ", ".join(words) or nothing


def _instant(at: datetime | None, otherwise: str = "") -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else otherwise
