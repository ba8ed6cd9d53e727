"""Makes, in the portal under test, Organizations whose Account is a customer's at the exchange; a process of its own.

What to make comes as JSON on standard input; the keys of the bots, by their names, go to standard output.
"""

import json
import sys
from typing import Any

import django

django.setup()

from accounts.factors import totp  # noqa: E402
from accounts.models import Account, Member, User  # noqa: E402
from accounts.organizations.founding import add_member, create_organization  # noqa: E402
from policies.changes import propose  # noqa: E402
from policies.operations import ConfigurePolicy, configure_policy  # noqa: E402
from policies.workflows import Right, Workflow  # noqa: E402
from portal.treasury.operations import AddAddress, add_address  # noqa: E402
from portal.venues.kraken.connection.asking import NewConnection, ask_to_connect  # noqa: E402
from portal.venues.kraken.connection.trial import Typed  # noqa: E402
from portal.venues.kraken.models import Purpose, Tier  # noqa: E402
from portal.venues.registry import venue  # noqa: E402
from tests.factories.world import make_bot  # noqa: E402

ACCOUNT = "Real"


def found(made: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """An Organization, connected; as many approvals as `approvals` says are needed for each withdrawal."""
    owner = _owner(made["organization"])
    account = _connected(owner, made["exchange"], made["credentials"])
    # Read outside of what asks, as the pages do.
    venue(account.venue).withdrawal_methods()
    venue(account.venue).read_listed_addresses(account.pk)
    for address in made["addresses"]:
        propose(add_address, actor=owner, params=AddAddress(account_id=account.pk, **address))
    bots = [
        make_bot(owner, account, name, tuple(permissions), websocket=name == "treasury-bot")
        for name, permissions in made["bots"].items()
    ]
    for number in range(made["approvals"]):
        person = _person(f"approver-{number}", made["organization"])
        add_member(owner.organization, person, rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    if made["approvals"]:
        policy = ConfigurePolicy(Workflow.INITIATE_WITHDRAWAL, approvals=made["approvals"], always=True)
        propose(configure_policy, actor=owner, params=policy)
    return {bot.service_user.name: (bot.public, bot.secret) for bot in bots}


def _connected(owner: Member, exchange: str, credentials: dict[str, tuple[str, str]]) -> Account:
    (withdraw, rest) = credentials["withdraw"], credentials["rest"]
    typed = (
        Typed(Purpose.WITHDRAW, "Withdrawals", *withdraw, "withdraw_"),
        Typed(Purpose.REST, "Everything else", *rest, "rest_"),
    )
    ask_to_connect(owner, NewConnection(exchange=exchange, name=ACCOUNT, tier=Tier.PRO, credentials=typed))
    return Account.objects.get(organization=owner.organization, name=ACCOUNT)


def _owner(name: str) -> Member:
    return create_organization(name=name, currency="USD", owner=_person("owner", name)).members.get()


def _person(short: str, organization: str) -> User:
    user = User.objects.create_user(f"{short}@{organization.lower()}.test", None, name=short.title())
    totp.enrol(user, totp.offer(user.email))
    return user


if __name__ == "__main__":
    keys: dict[str, tuple[str, str]] = {}
    for each in json.load(sys.stdin):
        keys |= found(each)
    json.dump(keys, sys.stdout)
