"""What amounts are worth in an Organization's currency, as far as rules reckon with it (DESIGN P7)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from django.utils import timezone

from policies.rules.language import INFINITE
from portal.core.clocks import is_ahead
from portal.core.money import from_units
from portal.venues.errors import UnknownAsset
from portal.venues.protocol import Venue
from portal.venues.registry import venue
from portal.venues.types import Priced

# An older price says nothing any more.
FRESH: Final = timedelta(minutes=15)
# The most that is kept, in hundredths: more than any rule can name, and few enough that sums can be reckoned.
MOST_HUNDREDTHS: Final = 10**17


def value_of(exchange: Venue, account_id: int, asset: str, amount: Decimal, currency: str) -> Decimal:
    """What `amount` is worth in `currency` now, rounded up to hundredths; infinite without a price that is fresh."""
    found = hundredths_of(exchange, account_id, asset, amount, currency)
    return INFINITE if found is None else in_currency(found)


def hundredths_of(exchange: Venue, account_id: int, asset: str, amount: Decimal, currency: str) -> int | None:
    """The same in hundredths; None without a price that is fresh."""
    worth = _worth(exchange, account_id, asset, currency) if amount.is_finite() else None
    return None if worth is None else _rounded(amount, worth)


class PricesNow:
    """What earlier withdrawals of some Accounts are worth now, whose own value nobody ever knew: each price asked once.

    `venues` names the venue of each Account.
    """

    def __init__(self, currency: str, venues: Mapping[int, str]) -> None:
        self.currency = currency
        self.venues = venues
        self._worth: dict[tuple[int, str], tuple[int, Fraction] | None] = {}

    def value_of(self, account_id: int, asset: str, units: int) -> Decimal:
        """So many of the asset's smallest unit; infinite without a price that is fresh."""
        found = self._known(account_id, asset)
        return INFINITE if found is None else in_currency(_rounded(from_units(units, found[0]), found[1]))

    def value_of_amount(self, account_id: int, asset: str, amount: Decimal) -> Decimal:
        """The same of an amount of the asset."""
        found = self._known(account_id, asset)
        return INFINITE if found is None else in_currency(_rounded(amount, found[1]))

    def _known(self, account_id: int, asset: str) -> tuple[int, Fraction] | None:
        place = (account_id, asset)
        if place not in self._worth:
            self._worth[place] = self._asked(account_id, asset)
        return self._worth[place]

    def _asked(self, account_id: int, asset: str) -> tuple[int, Fraction] | None:
        exchange = venue(self.venues[account_id])
        try:
            decimals = exchange.asset(asset).decimals
        except UnknownAsset:
            return None
        worth = _worth(exchange, account_id, asset, self.currency)
        return None if worth is None else (decimals, worth)


def _worth(exchange: Venue, account_id: int, asset: str, currency: str) -> Fraction | None:
    priced = exchange.price(account_id, asset, currency)
    return priced.worth if priced is not None and is_fresh(priced, timezone.now()) else None


def _rounded(amount: Decimal, worth: Fraction) -> int:
    return ceil(Fraction(amount) * worth * 100)


def is_fresh(priced: Priced, now: datetime) -> bool:
    """Whether a price still counts; one that is said to be of later does not."""
    return not is_ahead(priced.at, now) and now - priced.at <= FRESH


def kept(hundredths: int | None) -> int | None:
    """As a withdrawal's row has it."""
    return None if hundredths is None else min(hundredths, MOST_HUNDREDTHS)


def in_currency(hundredths: int) -> Decimal:
    """As an amount of the currency."""
    return Decimal(hundredths).scaleb(-2)
