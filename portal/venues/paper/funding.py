"""Money that is there at once: what an Account begins with."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from portal.core.errors import Conflict, Invalid
from portal.core.money import to_units
from portal.venues.journal.writing import together
from portal.venues.paper import catalogue, clock
from portal.venues.paper.deposits.arrival import book, first_way
from portal.venues.paper.deposits.models import Deposit
from portal.venues.paper.ledger.models import Entry


def deposit(account_id: int, asset: str, amount: Decimal, reference: str) -> Entry:
    """Book `amount` of `asset` from the outside world to the Account, once; a repeat gives the first Entry.

    Raises: UnknownAsset; Invalid for an amount that is not above zero, has too many decimals or does not fit; Conflict
    if the reference was that of another deposit.
    """
    found = catalogue.asset(asset)
    units = to_units(amount, found.decimals)
    if units <= 0:
        raise Invalid("The amount must be above zero.", field="amount")
    with transaction.atomic(), together():
        first = Deposit.objects.select_related("entry").filter(reference=reference).first()
        if first is None:
            clock.locked(account_id)
            way, now = first_way(found.id), timezone.now()
            first = Deposit(
                account_id=account_id,
                reference=reference,
                asset=found.id,
                amount_units=units,
                method=way.name,
                network=way.network,
                sent_at=now,
                credit_at=now,
            )
            book(first, now)
            first.save()
        if (first.account_id, first.asset, first.amount_units) != (account_id, found.id, units) or first.entry is None:
            raise Conflict("The reference belongs to another deposit.")
        return first.entry
