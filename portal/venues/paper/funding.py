"""Money that comes in."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from portal.core.errors import Conflict, Invalid
from portal.core.money import to_units
from portal.venues.paper import catalogue, catching_up
from portal.venues.paper.ledger.models import Book, Entry, EntryKind
from portal.venues.paper.ledger.posting import Leg, post


def deposit(account_id: int, asset: str, amount: Decimal, reference: str) -> Entry:
    """Book `amount` of `asset` from the outside world to the Account, once; a repeat gives the first Entry.

    Raises: UnknownAsset; Invalid for an amount that is not above zero, has too many decimals or does not fit; Conflict
    if the reference was that of another deposit.
    """
    found = catalogue.asset(asset)
    units = to_units(amount, found.decimals)
    if units <= 0:
        raise Invalid("The amount must be above zero.", field="amount")
    with transaction.atomic():
        first = Entry.objects.filter(kind=EntryKind.DEPOSIT, reference=reference).first()
        if first is None:
            catching_up.locked(account_id)
            legs = [Leg(found.id, -units, book=Book.OUTSIDE), Leg(found.id, units, account_id=account_id)]
            return post(EntryKind.DEPOSIT, reference, legs, at=timezone.now())
        if not first.postings.filter(account=account_id, asset=found.id, units=units).exists():
            raise Conflict("The reference belongs to another deposit.")
        return first
