"""How frames spell numbers and times: exact JSON numbers, RFC 3339 (reference §13)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from msgspec import Raw

from portal.core.money import plain

ZERO: Final = Raw(b"0")


def number(amount: Decimal) -> Raw:
    """The amount as a JSON number: every digit it has, no exponent, no zeros at its end. Raises: ValueError."""
    if not amount.is_finite():
        raise ValueError(f"JSON has no number for {amount}.")
    return Raw(plain(amount).encode()) if amount else ZERO


def at(when: datetime) -> str:
    """The instant in UTC with six digits: `2026-09-10T17:33:00.000000Z`."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def at_nanosecond(when: datetime) -> str:
    """The instant with nine digits, of which the last three are zero."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
