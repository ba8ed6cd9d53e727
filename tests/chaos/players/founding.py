"""`python -m tests.chaos.players.founding FILE BOTS`: makes the cast in the database, and writes it down.

The Organization stands already: its Owner was founded by the command that operators have for it.
"""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

import django

django.setup()

from accounts.factors import totp  # noqa: E402
from accounts.models import Account, Member, Organization, User  # noqa: E402
from accounts.organizations.founding import add_member  # noqa: E402
from accounts.organizations.settings import AddAccount, add_account  # noqa: E402
from policies.changes import propose  # noqa: E402
from policies.operations import ConfigurePolicy, configure_policy  # noqa: E402
from policies.workflows import Right, Workflow  # noqa: E402
from portal.treasury.operations import AddAddress, add_address  # noqa: E402
from portal.venues.paper import funding  # noqa: E402
from tests.chaos.checking import kept_journal  # noqa: E402
from tests.chaos.players.cast import APPROVERS, ORGANIZATION, PASSWORD, Cast, Person  # noqa: E402
from tests.chaos.players.clients import KEY_NAME  # noqa: E402
from tests.factories.world import BTC_COLD, EVERY_PERMISSION, make_bot  # noqa: E402
from tests.soak.player import Player  # noqa: E402

OPENING: Final = (("BTC", "90"), ("ETH", "400"), ("USD", "4000000"), ("EUR", "300000"))


def found(bots: int) -> Cast:
    """People who approve, and a bot for each Account, whose withdrawals wait for one yes."""
    organization = Organization.objects.get(name=ORGANIZATION)
    owner = Member.objects.select_related("user", "organization").get(organization=organization, is_owner=True)
    people = [_approver(organization, short, name) for short, name in APPROVERS.items()]
    pairs = [_players(owner, organization, number) for number in range(1, bots + 1)]
    policy = ConfigurePolicy(workflow=Workflow.INITIATE_WITHDRAWAL, approvals=1, always=True, open_hours=72)
    propose(configure_policy, actor=owner, params=policy)
    return Cast([pair[0] for pair in pairs], [pair[1] for pair in pairs], people)


def _approver(organization: Organization, short: str, name: str) -> Person:
    email = f"{short}@northwind.test"
    user = User.objects.create_user(email, PASSWORD, name=name)
    offered = totp.offer(email)
    add_member(organization, user, rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    totp.enrol(user, offered)
    return Person(email, offered.secret)


def _players(owner: Member, organization: Organization, number: int) -> tuple[Player, Player]:
    """A bot with an Account of its own, and the program that listens to what happens to it."""
    name = f"Desk {number}"
    propose(add_account, actor=owner, params=AddAccount(name=name))
    account = Account.objects.get(organization=organization, name=name)
    for asset, amount in OPENING:
        funding.deposit(account.pk, asset, Decimal(amount), reference=f"opening-{account.pk}-{asset}")
    address = AddAddress(account_id=account.pk, key=KEY_NAME, asset="XXBT", method="Bitcoin", address=BTC_COLD, memo="")
    propose(add_address, actor=owner, params=address)
    return _player(owner, account, f"bot-{number}"), _player(owner, account, f"listener-{number}")


def _player(owner: Member, account: Account, name: str) -> Player:
    bot = make_bot(owner, account, name, EVERY_PERMISSION, websocket=True)
    return Player(account.pk, owner.organization.name, account.name, bot.public, bot.secret, source="")


if __name__ == "__main__":
    kept_journal.begin()
    found(int(sys.argv[2])).write(Path(sys.argv[1]))
