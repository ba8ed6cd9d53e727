"""The demo: two Organizations with people, bots, addresses and money to try everything with (DESIGN §10)."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from accounts.api_keys import lifecycle
from accounts.factors import totp
from accounts.models import Account, ApiKey, Authenticator, Member, Organization, ServiceUser, User
from accounts.models.service_user import Permission
from accounts.organizations.founding import add_member, create_organization
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import CreateServiceUser
from policies.access import granted
from policies.changes import propose
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.core import call_origin
from portal.core.secrets import sealing
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, add_address
from portal.venues.paper.funding import deposit
from portal.venues.registry import venue

DEMO, ELSEWHERE = "Demo Treasury", "Elsewhere"
OWNER, EVE = ("owner@demo.test", "Olive Marsh"), ("eve@elsewhere.test", "Eve Aldous")
PEOPLE: Final = (
    ("ana@demo.test", "Ana Ruiz", Right.INITIATE),
    ("ben@demo.test", "Ben Adeyemi", Right.APPROVE),
    ("cleo@demo.test", "Cleo Novak", Right.APPROVE),
    ("fay@demo.test", "Fay Lindholm", Right.APPROVE),
    ("audit@demo.test", "Otto Berg", Right.VIEW),
)
EVERYTHING: Final = tuple(permission.value for permission in Permission)
BOTS: Final = (
    ("trading-bot", tuple(permission for permission in EVERYTHING if permission != Permission.WITHDRAW), False),
    ("treasury-bot", EVERYTHING, True),
    (
        "readonly-bot",
        (
            Permission.QUERY_FUNDS.value,
            Permission.QUERY_OPEN.value,
            Permission.QUERY_CLOSED.value,
            Permission.QUERY_LEDGER.value,
        ),
        False,
    ),
)
MONEY: Final = (
    ("BTC", "12.5"),
    ("ETH", "210"),
    ("USD", "480000"),
    ("EUR", "96000.5"),
    ("USDC", "25000"),
    ("SOL", "1500"),
)
ADDRESSES: Final = (
    ("btc-cold", "BTC", "Bitcoin", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ("eth-cold", "ETH", "Ether (Hex)", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ("usd-bank", "USD", "Bank transfer", "BUKBGB22/GB33BUKB20201555555555/Demo Treasury Ltd"),
)
POLICIES: Final = (
    ConfigurePolicy(workflow=Workflow.MANAGE_ADDRESSES, approvals=1, always=False, open_hours=72),
    ConfigurePolicy(workflow=Workflow.INITIATE_WITHDRAWAL, approvals=2, always=True, open_hours=72),
)


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


@transaction.atomic
def build() -> bool:
    """Make whatever of the demo is missing, all or nothing; False if it stood already."""
    with call_origin.origin(source="", via="demo"):
        made = [_demo_treasury()] if not Organization.objects.filter(name=DEMO).exists() else []
        made += [_elsewhere()] if not Organization.objects.filter(name=ELSEWHERE).exists() else []
    return bool(made)


def people() -> list[Person]:
    """Everybody, with what a script needs to sign in as them."""
    members = Member.objects.filter(organization__name__in=(DEMO, ELSEWHERE)).select_related("user", "organization")
    return [
        Person(
            email=member.user.email,
            password=password(),
            totp_secret=_seed(member.user),
            organization=member.organization.name,
            rights=_rights(member),
        )
        for member in members.order_by("pk")
    ]


def bots() -> list[Bot]:
    """Every bot whose key works."""
    live = ApiKey.objects.filter(
        is_active=True,
        service_user__removed_at=None,
        service_user__organization__name__in=(DEMO, ELSEWHERE),
        service_user__name__in=[name for name, _, _ in BOTS] + ["eve-bot"],
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
    rows = Address.objects.filter(organization__name__in=(DEMO, ELSEWHERE), removed_at=None).order_by("pk")
    return [
        Destination(
            key=row.key,
            asset=venue(row.account.venue).asset(row.asset).code,
            organization=row.organization.name,
        )
        for row in rows.select_related("organization", "account")
    ]


def password() -> str:
    """The one password of everybody in this installation's demo: always the same here, and different elsewhere."""
    letters = b32encode(sealing.derived_key("demo password"))[:16].decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _demo_treasury() -> Organization:
    organization = create_organization(name=DEMO, currency="USD", owner=_person(*OWNER))
    for email, name, right in PEOPLE:
        add_member(organization, _person(email, name), rights=[(workflow, right) for workflow in Workflow])
    owner = organization.members.get(is_owner=True)
    account = organization.accounts.get()
    for asset, amount in MONEY:
        deposit(account.pk, asset, Decimal(amount), reference=f"demo-{account.pk}-{asset}")
    for key, asset, method, address in ADDRESSES:
        _add_address(owner, account, key=key, asset=asset, method=method, address=address)
    for name, permissions, websocket in BOTS:
        _make_bot(owner, account, name, permissions, websocket=websocket)
    for policy in POLICIES:
        propose(configure_policy, actor=owner, params=policy)
    return organization


def _elsewhere() -> Organization:
    organization = create_organization(name=ELSEWHERE, currency="EUR", owner=_person(*EVE))
    eve = organization.members.get(is_owner=True)
    account = organization.accounts.get()
    deposit(account.pk, "BTC", Decimal(3), reference=f"demo-{account.pk}-BTC")
    _add_address(eve, account, key="eve-cold", asset="BTC", method="Bitcoin", address=ADDRESSES[0][3])
    _make_bot(eve, account, "eve-bot", EVERYTHING, websocket=False)
    return organization


def _person(email: str, name: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password(), name=name)
        totp.enrol(user, totp.offer(email))
    return user


def _add_address(owner: Member, account: Account, *, key: str, asset: str, method: str, address: str) -> None:
    asset_id = venue(account.venue).asset(asset).id
    params = AddAddress(account_id=account.pk, key=key, asset=asset_id, method=method, address=address, memo="")
    propose(add_address, actor=owner, params=params)


def _make_bot(owner: Member, account: Account, name: str, permissions: tuple[str, ...], *, websocket: bool) -> None:
    params = CreateServiceUser(
        name=name,
        account_id=account.pk,
        permissions=permissions,
        expires_at=None,
        query_start=None,
        query_end=None,
        websocket=websocket,
        nonce_window=0,
        ip_allow_list=(),
        acknowledged=True,
    )
    propose(create_service_user, actor=owner, params=params)
    lifecycle.reveal(
        ApiKey.objects.get(service_user__organization=owner.organization, service_user__name=name).pk, member=owner
    )


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

    return {
        "expires_at": text(limits.expires_at),
        "query_start": text(limits.query_start),
        "query_end": text(limits.query_end),
        "websocket": limits.websocket,
        "nonce_window": limits.nonce_window,
        "ip_allow_list": list(limits.ip_allow_list),
    }
