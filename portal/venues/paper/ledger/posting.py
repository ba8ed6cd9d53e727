"""Booking: the only place that writes Entries, Postings and the units of a Balance, and tells of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from portal.core.errors import Invalid
from portal.core.money import MAX_UNITS, from_units
from portal.core.secrets import sealing
from portal.venues.errors import InsufficientFunds
from portal.venues.journal.writing import note, together
from portal.venues.paper import catalogue
from portal.venues.paper.ledger.balances import lock
from portal.venues.paper.ledger.models import Balance, Book, Entry, EntryKind, EntrySubkind, Posting
from portal.venues.types import LedgerEvent


@dataclass(frozen=True, slots=True)
class Leg:
    """One signed leg to be posted, in the asset's smallest unit; without `account_id` it is in a book of ours."""

    asset: str
    units: int
    account_id: int | None = None
    book: Book = Book.ACCOUNT
    fee_units: int = 0


def post(
    kind: EntryKind, reference: str, legs: Sequence[Leg], *, at: datetime, subkind: EntrySubkind | None = None
) -> Entry:
    """Write the legs, move the balances they touch, and seal the Entry.

    Raises: InsufficientFunds if an Account would have less than what is held of it, Invalid if more than fits. The
    database refuses legs that do not sum to zero in each asset, and a second Entry of that kind and reference.
    """
    with transaction.atomic(), together():
        balances = lock({(leg.account_id, leg.asset) for leg in legs if leg.account_id is not None})
        entry = Entry.objects.create(kind=kind, subkind=subkind or "", reference=reference, at=at)
        postings = [_posting(entry, leg, balances) for leg in legs]
        Posting.objects.bulk_create(postings)
        for balance in balances.values():
            balance.save(update_fields=["units"])
        entry.sealed = True
        entry.save(update_fields=["sealed"])
        for posting in postings:
            _note(posting)
    return entry


def _posting(entry: Entry, leg: Leg, balances: dict[tuple[int, str], Balance]) -> Posting:
    posting = Posting(
        entry=entry, book=leg.book, asset=leg.asset, units=leg.units, fee_units=leg.fee_units, at=entry.at
    )
    if leg.account_id is not None:
        balance = balances[leg.account_id, leg.asset]
        balance.units += leg.units
        if balance.free_units < 0:
            raise InsufficientFunds("That is more than the Account has free.", field="amount")
        if balance.units > MAX_UNITS:
            raise Invalid("The balance would be out of range.", field="amount")
        posting.account_id = leg.account_id
        posting.balance_units = balance.units
        posting.ledger_id = new_ledger_id()
    return posting


def _note(posting: Posting) -> None:
    """Tell the Account of a leg of its own."""
    if posting.account_id is None:
        return
    entry, asset = posting.entry, catalogue.by_id(posting.asset)
    event = LedgerEvent(
        at=entry.at,
        ledger_id=posting.ledger_id or "",
        reference=entry.reference,
        kind=entry.kind,
        subkind=entry.subkind,
        asset=asset,
        amount=from_units(posting.units + posting.fee_units, asset.decimals),
        balance=from_units(posting.balance_units or 0, asset.decimals),
        fee=from_units(posting.fee_units, asset.decimals),
    )
    note(posting.account_id, event)


def new_ledger_id() -> str:
    """A ledger id in the protocol's form, as `LMKZCZ-Z3GVL-CXKK4H` (reference §7)."""
    return f"L{sealing.token(5)}-{sealing.token(5)}-{sealing.token(6)}"
