"""Sending something to an Account from the simulated outside world, and booking it when its time has come."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from portal.core.errors import DomainError, Invalid
from portal.core.money import plain, to_units
from portal.core.secrets import sealing
from portal.venues.errors import BelowMinimum
from portal.venues.paper import catalogue, networks
from portal.venues.paper.deposits import addresses
from portal.venues.paper.deposits.models import Deposit, DepositAddress
from portal.venues.paper.ledger.models import Book, EntryKind
from portal.venues.paper.ledger.posting import Leg, post
from portal.venues.types import DepositMethod

# From sending on.
SETTLED_AFTER = timedelta(seconds=2)
CREDITED_AFTER = timedelta(seconds=5)
LATER = timedelta(days=1)


def send(account_id: int, asset: str, amount: Decimal, method: str = "") -> Deposit:
    """Set `amount` of `asset` on its way to the Account's newest address, which is made if there is none.

    Raises: UnknownAsset, UnknownMethod, BelowMinimum; Invalid for an amount that cannot be.
    """
    found = catalogue.asset(asset)
    way = addresses.method(asset, method) if method else addresses.methods(found.id)[0]
    units = to_units(amount, found.decimals)
    if units <= 0:
        raise Invalid("The amount must be above zero.", field="amount")
    if amount < way.minimum:
        raise BelowMinimum(f"{way.name} takes {plain(way.minimum)} {found.code} or more.", field="amount")
    with transaction.atomic():
        address = addresses.addresses(account_id, asset, way.name, new=False)[0].address
        now = timezone.now()
        own = DepositAddress.objects.filter(account_id=account_id, address=address, used_at=None)
        own.update(used_at=now)
        return Deposit.objects.create(
            account_id=account_id,
            reference=f"FT{sealing.token(5)}-{sealing.token(22)}",
            asset=found.id,
            amount_units=units,
            method=way.name,
            network=way.network,
            address=address,
            sent_at=now,
            credit_at=now + CREDITED_AFTER,
        )


def credit(deposit_id: int) -> None:
    """Book a deposit whose time has come, once. The caller holds the Account's lock."""
    deposit = Deposit.objects.select_for_update(no_key=True).get(pk=deposit_id)
    if deposit.entry_id is not None:
        return
    try:
        book(deposit, deposit.credit_at)
    except DomainError:
        # A balance that can grow no further must not stop the clock of everything else.
        deposit.credit_at += LATER
    deposit.save(update_fields=["entry", "credit_at"])


def book(deposit: Deposit, at: datetime) -> None:
    """Move the amount from the outside world to the Account."""
    asset, units = deposit.asset, deposit.amount_units
    legs = [Leg(asset, -units, book=Book.OUTSIDE), Leg(asset, units, account_id=deposit.account_id)]
    deposit.entry = post(EntryKind.DEPOSIT, deposit.reference, legs, at=at)


def txid(deposit: Deposit) -> str:
    """What the network calls the transfer."""
    return networks.txid(deposit.network, deposit.reference)


def first_way(asset_id: str) -> DepositMethod:
    """The way in that is taken when none is named."""
    return addresses.methods(asset_id)[0]
