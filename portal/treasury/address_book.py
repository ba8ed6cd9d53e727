"""What the book shows beside each address: how often money went there, and which requests wait about it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Max

from accounts.models import Account, Organization
from policies.models import ChangeRequest, State
from policies.models.change import ChangeQuerySet
from policies.workflows import Workflow
from portal.treasury.models import Address, Withdrawal

ADDING: Final = "treasury.add_address"
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Use:
    """How many withdrawals went to an address, and when the last one did."""

    times: int = 0
    last_at: datetime | None = None


def uses(addresses: Sequence[Address], accounts: Iterable[Account]) -> dict[int, Use]:
    """What was executed, by address; only of `accounts`, whose withdrawals the reader may view. One statement.

    Counted by where the money went: a renamed address keeps what it had.
    """
    open_to = {account.pk for account in accounts}
    seen = [address for address in addresses if address.account_id in open_to]
    rows = (
        Withdrawal.objects.filter(
            account__in={address.account_id for address in seen},
            address__address__in={address.address for address in seen},
            change__state=State.EXECUTED,
        )
        .order_by()
        .values_list("account_id", "asset", "address__address", "address__memo")
        .annotate(times=Count("pk"), last_at=Max("change__ended_at"))
    )
    counted = {row[:4]: Use(*row[4:]) for row in rows}
    return {
        address.pk: counted.get((address.account_id, address.asset, address.address, address.memo), Use())
        for address in seen
    }


def waiting(organization: Organization, addresses: Sequence[Address]) -> dict[int, list[ChangeRequest]]:
    """The open requests about each of `addresses`, in one statement."""
    subjects = {f"address:{address.account_id}:{address.key.lower()}": address.pk for address in addresses}
    found: dict[int, list[ChangeRequest]] = defaultdict(list)
    for change in _open(organization).filter(subject__in=subjects).order_by("pk"):
        found[subjects[change.subject]].append(change)
    return dict(found)


def waiting_to_be_sent(address: Address) -> ChangeQuerySet:
    """The open withdrawals to that destination, whatever it was called when they were asked."""
    open_ones = ChangeRequest.objects.of(address.organization_id).open()
    return open_ones.filter(
        withdrawal__account=address.account_id,
        withdrawal__asset=address.asset,
        withdrawal__address__address=address.address,
        withdrawal__address__memo=address.memo,
    )


def waiting_additions(organization: Organization, accounts: Iterable[Account]) -> list[ChangeRequest]:
    """The newest open requests for addresses that are not in the book yet, at most twenty."""
    rows = _open(organization).filter(operation=ADDING, account__in=[account.pk for account in accounts])
    return list(rows.with_parties().order_by("-pk")[:SHOWN])


def additions_to(account: Account) -> list[ChangeRequest]:
    """Every open request for an address of the Account that is not in the book yet."""
    return list(_open(account.organization).filter(operation=ADDING, account=account.pk).order_by("pk"))


def _open(organization: Organization) -> ChangeQuerySet:
    return ChangeRequest.objects.of(organization).open().filter(workflow=Workflow.MANAGE_ADDRESSES)
