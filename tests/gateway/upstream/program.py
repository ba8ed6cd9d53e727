"""What is done at the exchange by hand, in a process beside its server: one act for each line that is read.

A line is `{"act": …, and what it takes}`, the answer `{"answer": …}` or `{"refused": …}`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import django

django.setup()

from django.utils import timezone  # noqa: E402

from accounts.emergency_stop import stop  # noqa: E402
from accounts.factors import totp  # noqa: E402
from accounts.models import Account, ApiKey, Member, Organization, ServiceUser, User  # noqa: E402
from accounts.organizations.founding import add_member, create_organization  # noqa: E402
from accounts.service_users.create_and_change import change_service_user  # noqa: E402
from accounts.service_users.key_settings import limits_of  # noqa: E402
from accounts.service_users.params import ChangeServiceUser  # noqa: E402
from policies.changes import propose  # noqa: E402
from policies.operations import ConfigurePolicy, RemovePolicy, configure_policy, remove_policy  # noqa: E402
from policies.workflows import Right, Workflow  # noqa: E402
from portal.core.errors import DomainError  # noqa: E402
from portal.treasury.models import Address  # noqa: E402
from portal.treasury.operations import AddAddress, RemoveAddress, add_address, remove_address  # noqa: E402
from portal.venues.paper import funding  # noqa: E402
from portal.venues.registry import venue  # noqa: E402
from tests.factories.world import make_bot  # noqa: E402
from tests.gateway.upstream.customers import ADDRESSES, KINDS, MONEY, Kind  # noqa: E402


def found(name: str) -> None:
    """A customer with two Accounts that no policy governs, money, and addresses in the book of the first."""
    user = User.objects.create_user(f"{name}@exchange.test", None, name=name)
    owner = create_organization(name=name, currency="USD", owner=user).members.get()
    Account.objects.create(organization=owner.organization, name="Other", created_at=timezone.now())
    for account, money in MONEY.items():
        for asset, amount in money:
            pay_in(name, account, asset, amount)
    _begin_book(owner)


def _begin_book(owner: Member) -> None:
    """The rows that `add` makes one by one: nobody else is there to be asked, and looking for them takes longer."""
    account = Account.objects.get(organization=owner.organization, name="Main")
    Address.objects.bulk_create(
        Address(
            organization=owner.organization, account=account, **asdict(each), added_by=owner.label,
            added_at=timezone.now(),
            network=venue(account.venue).withdrawal_method(each.asset, each.method).network,
        )
        for each in ADDRESSES
    )  # fmt: skip


def credential(name: str, kind: str, called: str) -> tuple[str, str]:
    """A credential of that kind; both halves of it."""
    made = KINDS[kind]
    bot = make_bot(
        _owner(name), _account(name, made.account), _in_one_word(called), made.permissions,
        nonce_window=made.window, ip_allow_list=made.sources, expires_at=_in_days(made),
    )  # fmt: skip
    return bot.public, bot.secret


def change(name: str, called: str, fields: dict[str, Any]) -> None:
    """Give a credential other permissions, another allow-list or another window, or an end in so many `days`."""
    days = fields.pop("days", None)
    more: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    if days is not None:
        more["expires_at"] = timezone.now() + timedelta(days=days)
    bot = _bot(name, called)
    before = limits_of(bot)
    params = ChangeServiceUser(bot.pk, bot.account_id, before, replace(before, **more), acknowledged=True)
    propose(change_service_user, actor=_owner(name), params=params)


def revoke(name: str, called: str) -> None:
    """End a credential for good."""
    key = ApiKey.objects.get(service_user=_bot(name, called))
    stop.revoke_key(actor=_owner(name), api_key=key, reason="It ends here.")


def add(name: str, key: str, asset: str, method: str, address: str, memo: str = "") -> None:
    """Put an address into the customer's book."""
    params = AddAddress(_account(name).pk, key=key, asset=asset, method=method, address=address, memo=memo)
    propose(add_address, actor=_owner(name), params=params)


def remove(name: str, key: str) -> None:
    """Take an address out of the book; its name is free for another one."""
    account = _account(name)
    address = Address.objects.get(account=account, key=key, removed_at=None)
    propose(remove_address, actor=_owner(name), params=RemoveAddress(account.pk, address.pk, key))


def re_point(name: str, key: str, address: str) -> None:
    """Let a name of the book stand for another address. Ours is never done by one alone; an exchange's may be."""
    Address.objects.filter(account=_account(name), key=key, removed_at=None).update(address=address)


def pay_in(name: str, account: str, asset: str, amount: str) -> None:
    """Money that is there at once."""
    reference = f"{name}-{account}-{asset}-{timezone.now().timestamp()}"
    funding.deposit(_account(name, account).pk, asset, Decimal(amount), reference=reference)


def hold(name: str, is_held: bool) -> None:
    """From now on the exchange holds this customer's withdrawals for reasons of its own (`onhold`), or no more."""
    owner = _owner(name)
    if not is_held:
        propose(remove_policy, actor=owner, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
        return
    for one in ("first", "second"):
        user = User.objects.create_user(f"{one}-of-{name}@exchange.test", None, name=f"The {one} of {name}")
        totp.enrol(user, totp.offer(user.email))
        add_member(owner.organization, user, rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    policy = ConfigurePolicy(Workflow.INITIATE_WITHDRAWAL, approvals=2, always=True)
    propose(configure_policy, actor=owner, params=policy)


def _owner(name: str) -> Member:
    found = Member.objects.select_related("user", "organization")
    return found.get(organization__name=name, is_owner=True)


def _account(name: str, account: str = "Main") -> Account:
    return Account.objects.get(organization=Organization.objects.get(name=name), name=account)


def _bot(name: str, called: str) -> ServiceUser:
    return ServiceUser.objects.get(organization__name=name, name=_in_one_word(called))


def _in_one_word(called: str) -> str:
    return called.replace(" ", "-")


def _in_days(kind: Kind) -> object:
    return None if kind.days is None else timezone.now() + timedelta(days=kind.days)


ACTS: Final[dict[str, Callable[..., Any]]] = {
    act.__name__: act for act in (found, credential, change, revoke, add, remove, re_point, pay_in, hold)
}


def main() -> None:
    """Read, act and answer until there is no more."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = {"answer": ACTS[asked.pop("act")](**asked)}
        except DomainError as error:
            said = {"refused": error.message}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
