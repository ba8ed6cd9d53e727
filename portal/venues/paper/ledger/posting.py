"""Booking: the only place that writes Entries, Postings and the units of a Balance, and tells of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from portal.core.errors import Invalid
from portal.core.money import MAX_UNITS, from_units
from portal.core.secrets import sealing
from portal.venues.errors import InsufficientFunds
from portal.venues.journal.writing import note, together
from portal.venues.paper import catalogue
from portal.venues.paper.ledger.balances import Place, lock, save
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


@dataclass(frozen=True, slots=True)
class Movement:
    """An Entry to be, with its legs."""

    kind: EntryKind
    reference: str
    legs: Sequence[Leg]
    at: datetime
    subkind: EntrySubkind | None = None

    @property
    def places(self) -> set[Place]:
        """The Balances that it moves."""
        return {(leg.account_id, leg.asset) for leg in self.legs if leg.account_id is not None}


@dataclass(frozen=True, slots=True)
class Booked:
    """A movement as it was written."""

    entry: Entry
    postings: Sequence[Posting]

    def tell(self) -> None:
        """Note each leg in the journal of its Account."""
        for posting in self.postings:
            if posting.account_id is not None:
                note(posting.account_id, _event(self.entry, posting))


def post(
    kind: EntryKind, reference: str, legs: Sequence[Leg], *, at: datetime, subkind: EntrySubkind | None = None
) -> Entry:
    """Write the legs, move the balances they touch, and seal the Entry.

    Raises: InsufficientFunds if an Account would have less than what is held of it, Invalid if more than fits. The
    database refuses legs that do not sum to zero in each asset, and a second Entry of that kind and reference.
    """
    movement = Movement(kind, reference, legs, at, subkind)
    with transaction.atomic(), together():
        balances = lock(movement.places)
        [booked] = book([movement], balances)
        save(balances.values(), "units")
        booked.tell()
    return booked.entry


def book(movements: Sequence[Movement], balances: Mapping[Place, Balance]) -> list[Booked]:
    """Write movements one after the other, in three statements however many they are; move `balances`, unsaved.

    The caller holds the locks of all the balances, in a transaction, saves them and tells. Raises: as `post`.
    """
    booked = [_worked_out(movement, balances) for movement in movements]
    entries = Entry.objects.bulk_create([one.entry for one in booked])
    Posting.objects.bulk_create([posting for one in booked for posting in one.postings])
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(sealed=True)
    for entry in entries:
        entry.sealed = True
    return booked


def places(movements: Collection[Movement]) -> set[Place]:
    """The Balances that the movements move."""
    return {place for movement in movements for place in movement.places}


def _worked_out(movement: Movement, balances: Mapping[Place, Balance]) -> Booked:
    entry = Entry(kind=movement.kind, subkind=movement.subkind or "", reference=movement.reference, at=movement.at)
    return Booked(entry, [_posting(entry, leg, balances) for leg in movement.legs])


def _posting(entry: Entry, leg: Leg, balances: Mapping[Place, Balance]) -> Posting:
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


def _event(entry: Entry, posting: Posting) -> LedgerEvent:
    asset = catalogue.by_id(posting.asset)
    return LedgerEvent(
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


def new_ledger_id() -> str:
    """A ledger id in the protocol's form, as `LMKZCZ-Z3GVL-CXKK4H` (reference §7)."""
    return f"L{sealing.token(5)}-{sealing.token(5)}-{sealing.token(6)}"
