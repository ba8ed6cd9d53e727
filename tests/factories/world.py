"""The cast: the Organization `Demo Treasury` and its neighbour, made by the portal's own functions."""

from dataclasses import dataclass, field
from decimal import Decimal

from django_tasks_db.models import DBTaskResult

from accounts.api_keys import lifecycle
from accounts.factors import totp
from accounts.models import Account, ApiKey, Member, Organization, ServiceUser, User
from accounts.organizations.founding import add_member, create_organization
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.params import CreateServiceUser
from policies.changes import propose
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.treasury.operations import AddAddress, add_address
from portal.venues.paper import funding

PASSWORD = "a long walk by the harbour"
ORGANIZATION = "Demo Treasury"
ELSEWHERE = "Elsewhere"
EVERY_PERMISSION = (
    "query-funds", "earn-funds", "add-funds", "withdraw-funds", "query-open-trades", "query-closed-trades",
    "modify-trades", "close-trades", "query-ledger", "export-data",
)  # fmt: skip
READING = ("query-funds", "query-open-trades", "query-closed-trades", "query-ledger")
BTC_COLD = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
ETH_COLD = "0x52908400098527886E0F7030069857D2E4169EE7"
BANK = "BUKBGB22/GB33BUKB20201555555555/Demo Treasury Ltd"


@dataclass
class Bot:
    """A Service User with its key, as its author holds them."""

    service_user: ServiceUser
    key: ApiKey
    public: str
    secret: str


@dataclass
class World:
    organization: Organization
    elsewhere: Organization
    account: Account
    members: dict[str, Member] = field(default_factory=dict)
    bots: dict[str, Bot] = field(default_factory=dict)

    def bot(self, name: str) -> Bot:
        return self.bots[name]


def build() -> World:
    """Make the whole cast. Passwords are all `PASSWORD`; every Member has a confirmed authenticator app."""
    owner_user = _person("owner", "Olive Marsh")
    organization = create_organization(name=ORGANIZATION, currency="USD", owner=owner_user)
    for short, name, right in (
        ("ana", "Ana Ruiz", Right.INITIATE),
        ("ben", "Ben Adeyemi", Right.APPROVE),
        ("cleo", "Cleo Novak", Right.APPROVE),
        ("fay", "Fay Lindholm", Right.APPROVE),
        ("audit", "Otto Berg", Right.VIEW),
    ):
        add_member(organization, _person(short, name), rights=[(workflow, right) for workflow in Workflow])
    account = Account.objects.get(organization=organization, name="Main")
    owner = Member.objects.get(organization=organization, is_owner=True)
    for asset, amount in (("BTC", "12.4"), ("ETH", "210"), ("USD", "480000"), ("EUR", "96000.5"), ("USDC", "25000"),
                          ("SOL", "1500")):  # fmt: skip
        funding.deposit(account.pk, asset, Decimal(amount), reference=f"opening-{account.pk}-{asset}")
    for key, asset, method, address in (
        ("btc-cold", "XXBT", "Bitcoin", BTC_COLD),
        ("eth-cold", "XETH", "Ether (Hex)", ETH_COLD),
        ("usd-bank", "ZUSD", "Bank transfer", BANK),
    ):
        params = AddAddress(account_id=account.pk, key=key, asset=asset, method=method, address=address, memo="")
        propose(add_address, actor=owner, params=params)
    make_bot(owner, account, "trading-bot", tuple(p for p in EVERY_PERMISSION if p != "withdraw-funds"))
    make_bot(owner, account, "treasury-bot", EVERY_PERMISSION)
    make_bot(
        owner, account, "readonly-bot", ("query-funds", "query-open-trades", "query-closed-trades", "query-ledger")
    )
    for workflow, approvals, always in (
        (Workflow.MANAGE_ADDRESSES, 1, False),
        (Workflow.INITIATE_WITHDRAWAL, 2, True),
    ):
        policy = ConfigurePolicy(workflow=workflow, approvals=approvals, always=always, open_hours=72)
        propose(configure_policy, actor=owner, params=policy)
    _elsewhere()
    # What making the cast told its people is nobody's subject: each test begins with an empty queue.
    DBTaskResult.objects.all().delete()
    return load()


def load() -> World:
    """The cast as the database holds it."""
    organization = Organization.objects.get(name=ORGANIZATION)
    elsewhere = Organization.objects.get(name=ELSEWHERE)
    members = {
        member.user.email.split("@")[0]: member for member in Member.objects.select_related("user", "organization")
    }
    bots = {}
    for key in ApiKey.objects.select_related("service_user__organization", "service_user__account", "made_by__user"):
        bots[key.service_user.name] = Bot(
            key.service_user, key, key.public, lifecycle.secret_of(key.sealed_secret, public=key.public)
        )
    account = Account.objects.get(organization=organization, name="Main")
    return World(organization, elsewhere, account, members, bots)


def make_bot(owner: Member, account: Account, name: str, permissions: tuple[str, ...], **settings: object) -> Bot:
    """A Service User that `owner` makes at once, with a revealed key."""
    params = CreateServiceUser(
        name=name,
        account_id=account.pk,
        permissions=permissions,
        **{
            "expires_at": None,
            "query_start": None,
            "query_end": None,
            "websocket": False,
            "nonce_window": 0,
            "ip_allow_list": (),
            "acknowledged": True,
            **settings,
        },  # type: ignore[arg-type]
    )
    propose(create_service_user, actor=owner, params=params)
    service_user = ServiceUser.objects.get(organization=owner.organization, name=name)
    key = ApiKey.objects.get(service_user=service_user)
    revealed = lifecycle.reveal(key.pk, member=owner)
    key.refresh_from_db()
    return Bot(service_user, key, revealed.public, revealed.secret)


def _person(short: str, name: str, domain: str = "demo.test") -> User:
    user = User.objects.create_user(f"{short}@{domain}", PASSWORD, name=name)
    totp.enrol(user, totp.offer(user.email))
    return user


def _elsewhere() -> None:
    eve = _person("eve", "Eve Aldous", domain="elsewhere.test")
    organization = create_organization(name=ELSEWHERE, currency="EUR", owner=eve)
    account = Account.objects.get(organization=organization, name="Main")
    owner = Member.objects.get(organization=organization, is_owner=True)
    funding.deposit(account.pk, "BTC", Decimal(3), reference=f"opening-{account.pk}-BTC")
    address = AddAddress(
        account_id=account.pk, key="eve-cold", asset="XXBT", method="Bitcoin", address=BTC_COLD, memo=""
    )
    propose(add_address, actor=owner, params=address)
    make_bot(owner, account, "eve-bot", EVERY_PERMISSION)
