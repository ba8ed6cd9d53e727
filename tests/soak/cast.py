"""Who takes part: a few Organizations, ten Accounts each, and a bot for each Account with its ways out."""

from decimal import Decimal
from typing import Final

from accounts.factors import totp
from accounts.models import Account, Member, Organization, User
from accounts.organizations.founding import add_member, create_organization
from accounts.organizations.settings import AddAccount, add_account
from policies.changes import propose
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.treasury.operations import AddAddress, add_address
from portal.venues.paper import funding
from tests.factories.world import BTC_COLD, EVERY_PERMISSION, PASSWORD, make_bot
from tests.soak.player import Player

ACCOUNTS_OF_ORGANIZATION: Final = 10
ADDRESS: Final = "btc-cold"
OPENING: Final = (("BTC", "40"), ("ETH", "400"), ("USD", "900000"), ("EUR", "300000"))


def build(accounts: int) -> list[Player]:
    """So many Accounts, each with money, a withdrawal address and a bot that may do everything.

    In each Organization withdrawals wait for one approval.
    """
    players: list[Player] = []
    while len(players) < accounts:
        number = len(players) // ACCOUNTS_OF_ORGANIZATION
        players += _organization(number, min(ACCOUNTS_OF_ORGANIZATION, accounts - len(players)))
    return players


def approvers() -> dict[int, Member]:
    """Who approves, by the id of their Organization."""
    found = Member.objects.filter(is_owner=False).select_related("user", "organization")
    return {member.organization_id: member for member in found}


def _organization(number: int, accounts: int) -> list[Player]:
    owner_user = _person(f"owner{number}", "Olive Marsh")
    organization = create_organization(name=f"Treasury {number}", currency="USD", owner=owner_user)
    add_member(
        organization,
        _person(f"ben{number}", "Ben Adeyemi"),
        rights=[(workflow, Right.APPROVE) for workflow in Workflow],
    )
    owner = Member.objects.select_related("user", "organization").get(organization=organization, is_owner=True)
    players = [_player(owner, organization, number, place) for place in range(accounts)]
    policy = ConfigurePolicy(workflow=Workflow.INITIATE_WITHDRAWAL, approvals=1, always=True, open_hours=72)
    propose(configure_policy, actor=owner, params=policy)
    return players


def _player(owner: Member, organization: Organization, number: int, place: int) -> Player:
    name = "Main" if place == 0 else f"Desk {place}"
    if place:
        propose(add_account, actor=owner, params=AddAccount(name=name))
    account = Account.objects.get(organization=organization, name=name)
    for asset, amount in OPENING:
        funding.deposit(account.pk, asset, Decimal(amount), reference=f"opening-{account.pk}-{asset}")
    address = AddAddress(account_id=account.pk, key=ADDRESS, asset="XXBT", method="Bitcoin", address=BTC_COLD, memo="")
    propose(add_address, actor=owner, params=address)
    bot = make_bot(owner, account, f"bot-{number}-{place}", EVERY_PERMISSION, websocket=True)
    source = f"10.1.{number}.{place + 1}"
    return Player(account.pk, organization.name, account.name, bot.public, bot.secret, source)


def _person(short: str, name: str) -> User:
    user = User.objects.create_user(f"{short}@soak.test", PASSWORD, name=name)
    totp.enrol(user, totp.offer(user.email))
    return user
