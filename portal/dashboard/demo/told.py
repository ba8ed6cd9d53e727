"""What the demo holds by now, with everything that a script needs to use it: codes, passwords and secrets included."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.api_keys import lifecycle
from accounts.models import ApiKey, Authenticator, Member, ServiceUser, User
from accounts.service_users.key_settings import limits_of
from policies.access import granted
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.money import plain
from portal.core.secrets import sealing
from portal.dashboard.demo import plan
from portal.treasury.models import Address
from portal.venues.registry import venue


@dataclass(frozen=True, slots=True)
class Person:
    """How one member of the demo signs in."""

    email: str
    password: str
    totp_secret: str
    organization: str
    rights: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Bot:
    """One bot of the demo with both halves of its key."""

    name: str
    organization: str
    api_key: str
    api_secret: str
    permissions: list[str]
    account: str
    settings: dict[str, str | int | bool | list[str] | None]


@dataclass(frozen=True, slots=True)
class Destination:
    """One approved withdrawal address of the demo."""

    key: str
    asset: str
    organization: str
    account: str


def people() -> list[Person]:
    """Everybody, with what a script needs to sign in as them."""
    members = Member.objects.filter(organization__name__in=(plan.DEMO, plan.ELSEWHERE)).select_related(
        "user", "organization"
    )
    return [
        Person(
            email=member.user.email,
            password=password(),
            totp_secret=_seed(member.user),
            organization=member.organization.name,
            rights=_rights(member),
        )
        for member in members.select_related("user", "organization").order_by("pk")
    ]


def bots() -> list[Bot]:
    """Every bot whose key works."""
    live = ApiKey.objects.filter(
        is_active=True,
        service_user__removed_at=None,
        service_user__organization__name__in=(plan.DEMO, plan.ELSEWHERE),
        service_user__name__in=[*(name for name, _, _ in plan.BOTS), plan.EVES_BOT, plan.GATEWAY_BOT],
    )
    found = live.select_related("service_user__organization", "service_user__account").order_by("pk")
    return [
        Bot(
            name=key.service_user.name,
            organization=key.service_user.organization.name,
            api_key=key.public,
            api_secret=lifecycle.secret_of(key.sealed_secret, public=key.public),
            permissions=list(key.service_user.permissions),
            account=key.service_user.account.name,
            settings=_settings(key.service_user),
        )
        for key in found
    ]


def destinations() -> list[Destination]:
    """Every approved address."""
    rows = Address.objects.filter(organization__name__in=(plan.DEMO, plan.ELSEWHERE), removed_at=None).order_by("pk")
    return [
        Destination(
            key=row.key,
            asset=_code(row),
            organization=row.organization.name,
            account=row.account.name,
        )
        for row in rows.select_related("organization", "account")
    ]


def password() -> str:
    """The one password of everybody in this installation's demo: always the same here, and different elsewhere."""
    letters = b32encode(sealing.derived_key("demo password"))[:16].decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _code(row: Address) -> str:
    try:
        return venue(row.account.venue).asset(row.asset).code
    except DomainError:
        # An exchange that has never been reached: its own id says it too.
        return row.asset


def _seed(user: User) -> str:
    device = Authenticator.objects.filter(user=user, confirmed=True).order_by("pk").get()
    return b32encode(sealing.unseal(device.sealed_seed, place=device.place)).decode()


def _rights(member: Member) -> dict[str, list[str]]:
    held = granted(member)
    return {
        workflow.value: [right.value for right in Right if any(w == workflow and r == right for w, r, _ in held)]
        for workflow in Workflow
    }


def _settings(service_user: ServiceUser) -> dict[str, str | int | bool | list[str] | None]:
    limits = limits_of(service_user)

    def text(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    def amount(cap: Decimal | None) -> str | None:
        return None if cap is None else plain(cap)

    return {
        "expires_at": text(limits.expires_at),
        "query_start": text(limits.query_start),
        "query_end": text(limits.query_end),
        "websocket": limits.websocket,
        "nonce_window": limits.nonce_window,
        "ip_allow_list": list(limits.ip_allow_list),
        "withdrawal_cap": amount(limits.withdrawal_cap),
        "daily_cap": amount(limits.daily_cap),
    }
