"""Where withdrawals lead, for freezes: told apart by who receives, whatever its name, a memo or a spelling says."""

import hashlib
from typing import Final

from policies.freezes.places import tells_destinations
from portal.core.errors import Invalid
from portal.treasury import destinations
from portal.treasury.destinations import banks, ethereum
from portal.treasury.models import Address
from portal.treasury.operations.params import Withdraw

# Of a BIC the bank alone: its branch does not say who receives.
BANK_LENGTH: Final = 8


def receiver(network: str, address: str) -> str:
    """Who receives there: an account without its holder's name, an address in one spelling.

    A memo or a reference is no part of it: at most places it only says what a payment is for.
    """
    try:
        text = destinations.canonical(network, address)
    except Invalid:
        # As an exchange lists it, which writes in ways of its own.
        text = address
    if ethereum.FORM.fullmatch(text):
        # The same key receives on every network of this kind.
        return text.lower()
    if not destinations.network_of(network).is_bank:
        return text
    named = dict(destinations.parts(network, text))
    number = "".join((named.get("IBAN") or named.get("Account") or text).split()).upper()
    bank = named.get("BIC", "")[:BANK_LENGTH].upper()
    return number if banks.LIKE_IBAN.fullmatch(number) else f"{bank}/{number}"


def mark_of(network: str, address: str) -> str:
    """The same as 64 hexadecimal digits: long enough for any, and nothing that could be read as another one."""
    return hashlib.sha256(receiver(network, address).encode()).hexdigest()


def destination(params: Withdraw) -> str:
    """Where a withdrawal would go, by what was asked and not by the book."""
    return mark_of(params.network, params.address)


@tells_destinations
def find(account_id: int, name: str) -> str | None:
    """Where the Account's address of that name leads; None if its book has none."""
    row = Address.objects.filter(account=account_id, key__iexact=name, removed_at=None).first()
    return mark_of(row.network, row.address) if row is not None else None
