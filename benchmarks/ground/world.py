"""Who calls: bots of one Organization, bots of one each, and one among very many; made by the portal itself."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import transaction

from accounts.api_keys import lifecycle
from accounts.factors import totp
from accounts.models import Account, Member, Organization, ServiceUser, User
from accounts.models.organization import ApiTier
from accounts.organizations.founding import add_member, create_organization
from accounts.organizations.settings import AddAccount, add_account
from benchmarks.load.signing import Key
from policies.changes import propose
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.treasury.operations import AddAddress, add_address
from portal.venues.paper import funding
from tests.factories.world import BTC_COLD, EVERY_PERMISSION, PASSWORD, make_bot

ADDRESS: Final = "btc-cold"
# Colleagues of a bot that withdraws over one connection, and of one beside fifteen others.
MANY, FEW = 24, 3
# Enough for every order and withdrawal that a run can ask for.
OPENING: Final = (
    ("BTC", "90000"), ("ETH", "900000"), ("USD", "900000000"), ("EUR", "900000000"), ("USDC", "90000000"),
    ("SOL", "900000"),
)  # fmt: skip
POLICY: Final = ConfigurePolicy(workflow=Workflow.INITIATE_WITHDRAWAL, approvals=1, always=True, open_hours=72)


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that may do everything, its row, and the Account that it calls for.

    A key may have only so many withdrawals waiting; `colleagues` are keys of more such bots of the Account.
    """

    id: int
    account_id: int
    organization_id: int
    key: Key
    colleagues: tuple[Key, ...] = ()

    @property
    def keys(self) -> tuple[Key, ...]:
        """All that call for the Account."""
        return (self.key, *self.colleagues)


@dataclass(frozen=True, slots=True)
class World:
    """As many bots `together` in one Organization as `apart`, each in one of its own; `crowded` is one among many.

    `readers` have orders and trades that nobody else touches.
    """

    together: list[Bot]
    apart: list[Bot]
    readers: list[Bot]
    crowded: Bot

    @property
    def bots(self) -> list[Bot]:
        """All of them, those of one Organization each first."""
        return [*self.apart, *self.together, *self.readers, self.crowded]


def build(number: int, readers: int) -> World:
    """So many bots together, and so many apart. Withdrawals wait for one approval; no tier limits their calls."""
    together = _organization(0, number, FEW)
    apart = [bot for place in range(number) for bot in _organization(1 + place, 1, MANY if place == 0 else FEW)]
    return World(together, apart, _organization(1 + number, readers, 0), _organization(2 + number, 1, MANY)[0])


@transaction.atomic
def _organization(number: int, accounts: int, colleagues: int) -> list[Bot]:
    owner_user = _person(f"owner{number}", "Olive Marsh")
    organization = create_organization(name=f"Treasury {number}", currency="USD", owner=owner_user)
    approver = _person(f"ben{number}", "Ben Adeyemi")
    add_member(organization, approver, rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    Organization.objects.filter(pk=organization.pk).update(api_tier=ApiTier.OFF)
    owner = Member.objects.select_related("user", "organization").get(organization=organization, is_owner=True)
    bots = [_bot(owner, organization, number, place, colleagues) for place in range(accounts)]
    propose(configure_policy, actor=owner, params=POLICY)
    return bots


def _bot(owner: Member, organization: Organization, number: int, place: int, colleagues: int) -> Bot:
    name = "Main" if place == 0 else f"Desk {place}"
    if place:
        propose(add_account, actor=owner, params=AddAccount(name=name))
    account = Account.objects.get(organization=organization, name=name)
    for asset, amount in OPENING:
        funding.deposit(account.pk, asset, Decimal(amount), reference=f"opening-{account.pk}-{asset}")
    address = AddAddress(account_id=account.pk, key=ADDRESS, asset="XXBT", method="Bitcoin", address=BTC_COLD, memo="")
    propose(add_address, actor=owner, params=address)
    made = make_bot(owner, account, f"bot-{place}", EVERY_PERMISSION)
    source = f"10.1.{number}.{place + 1}"
    more = tuple(_colleague(owner, made.service_user, turn, source) for turn in range(colleagues))
    return Bot(
        made.service_user.pk, account.pk, organization.pk, Key(made.public, made.secret, source), colleagues=more
    )


def _colleague(owner: Member, alike: ServiceUser, turn: int, source: str) -> Key:
    """The key of one more bot with the same rights."""
    fields = {field.name: getattr(alike, field.name) for field in ServiceUser._meta.concrete_fields}
    bot = ServiceUser.objects.create(**{**fields, "id": None, "name": f"{alike.name}-{turn}"})
    key = lifecycle.issue(bot, made_by=owner, expires_at=None)
    revealed = lifecycle.reveal(key.pk, member=owner)
    return Key(revealed.public, revealed.secret, source)


def _person(short: str, name: str) -> User:
    user = User.objects.create_user(f"{short}@bench.test", PASSWORD, name=name)
    totp.enrol(user, totp.offer(user.email))
    return user
