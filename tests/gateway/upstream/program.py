"""What is done at the exchange by hand, in a process beside its server: one act for each line that is read.

A line is `{"act": …, and what it takes}`, the answer `{"answer": …}` or `{"refused": …}`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any, Final

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.api_keys import lifecycle  # noqa: E402
from accounts.emergency_stop import stop  # noqa: E402
from accounts.factors import totp  # noqa: E402
from accounts.models import Account, ApiKey, Member, Organization, ServiceUser, User  # noqa: E402
from accounts.models.member import Identity  # noqa: E402
from accounts.organizations.founding import add_member  # noqa: E402
from accounts.service_users.create_and_change import change_service_user  # noqa: E402
from accounts.service_users.key_settings import limits_of  # noqa: E402
from accounts.service_users.params import ChangeServiceUser  # noqa: E402
from policies.changes import propose  # noqa: E402
from policies.models import Grant  # noqa: E402
from policies.operations import ConfigurePolicy, RemovePolicy, configure_policy, remove_policy  # noqa: E402
from policies.workflows import Right, Workflow  # noqa: E402
from portal.audit.record import lock_history  # noqa: E402
from portal.core.errors import DomainError  # noqa: E402
from portal.core.money import to_units  # noqa: E402
from portal.treasury.models import Address  # noqa: E402
from portal.treasury.operations import AddAddress, RemoveAddress, add_address, remove_address  # noqa: E402
from portal.venues.journal.writing import together  # noqa: E402
from portal.venues.paper import catalogue, funding  # noqa: E402
from portal.venues.paper.deposits.arrival import first_way  # noqa: E402
from portal.venues.paper.deposits.models import Deposit  # noqa: E402
from portal.venues.paper.ledger.balances import lock, save  # noqa: E402
from portal.venues.paper.ledger.models import Book, EntryKind  # noqa: E402
from portal.venues.paper.ledger.posting import Leg, Movement, book, places  # noqa: E402
from portal.venues.registry import venue  # noqa: E402
from tests.gateway.upstream.customers import ADDRESSES, KINDS, MONEY, Kind  # noqa: E402


@transaction.atomic
def found(name: str) -> None:
    """A customer with two Accounts that no policy governs, money, and addresses in the book of the first.

    Row by row what founding, `pay_in` and `add` make: every test has a customer of its own, and nobody is asked here.
    """
    user, now = User.objects.create(email=f"{name}@exchange.test", name=name), timezone.now()
    organization = Organization.objects.create(name=name, currency="USD", created_at=now)
    owner = Member.objects.create(
        organization=organization, user=user, is_owner=True, identity=Identity.VERIFIED, joined_at=now
    )
    Grant.objects.bulk_create(
        Grant(member=owner, workflow=workflow, right=right) for workflow, right in product(Workflow, Right)
    )
    accounts = {each: Account.objects.create(organization=organization, name=each, created_at=now) for each in MONEY}
    _begin_book(accounts["Main"], owner, now)
    with together():
        _begin_ledger(accounts, now)


def _begin_book(account: Account, owner: Member, now: datetime) -> None:
    Address.objects.bulk_create(
        Address(
            organization=owner.organization, account=account, **asdict(each), added_by=owner.label, added_at=now,
            network=venue(account.venue).withdrawal_method(each.asset, each.method).network,
        )
        for each in ADDRESSES
    )  # fmt: skip


def _begin_ledger(accounts: dict[str, Account], now: datetime) -> None:
    deposits = [
        _arrived(accounts[account], asset, Decimal(amount), now)
        for account, money in MONEY.items()
        for asset, amount in money
    ]
    movements = [Movement(EntryKind.DEPOSIT, one.reference, _legs(one), now) for one in deposits]
    balances = lock(places(movements))
    for deposit, booked in zip(deposits, book(movements, balances), strict=True):
        deposit.entry = booked.entry
        booked.tell()
    save(balances.values(), "units")
    Deposit.objects.bulk_create(deposits)


def _arrived(account: Account, asset: str, amount: Decimal, now: datetime) -> Deposit:
    found = catalogue.asset(asset)
    way = first_way(found.id)
    return Deposit(
        account=account, reference=f"opening-{account.pk}-{asset}", asset=found.id, sent_at=now, credit_at=now,
        amount_units=to_units(amount, found.decimals), method=way.name, network=way.network,
    )  # fmt: skip


def _legs(deposit: Deposit) -> list[Leg]:
    asset, units = deposit.asset, deposit.amount_units
    return [Leg(asset, -units, book=Book.OUTSIDE), Leg(asset, units, account_id=deposit.account_id)]


@transaction.atomic
def credential(name: str, kind: str, called: str) -> tuple[str, str]:
    """A credential of that kind, revealed; both halves of it."""
    made, owner, now = KINDS[kind], _owner(name), timezone.now()
    lock_history(owner.organization_id)
    bot = ServiceUser.objects.create(
        organization=owner.organization, account=_account(name, made.account), name=_in_one_word(called),
        permissions=list(made.permissions), nonce_window=made.window, ip_allow_list=list(made.sources),
        created_at=now, changed_at=now,
    )  # fmt: skip
    key = lifecycle.issue(bot, made_by=owner, expires_at=_in_days(made))
    ApiKey.objects.filter(pk=key.pk).update(is_active=True, revealed_at=now)
    return key.public, lifecycle.secret_of(key.sealed_secret, public=key.public)


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


def _in_days(kind: Kind) -> datetime | None:
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
