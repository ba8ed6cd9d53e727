"""Exact amounts: whole units of an asset's smallest part in the database, Decimal at the edges, text on the wire."""

import re
from decimal import Decimal, localcontext
from functools import lru_cache

from portal.core.errors import Invalid

MAX_UNITS = 2**63 - 1
SCALES = tuple(10**decimals for decimals in range(19))
PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,18})?", re.ASCII)
# Bots also write `.02` and `1000.`, which can mean one number only (security IN-2).
WIRE = re.compile(r"([0-9]{1,20}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,2})?", re.ASCII)
WIRE_LENGTH = 40
LONGEST = 200


def to_units(amount: Decimal, decimals: int) -> int:
    """`amount` as whole units of 10^-`decimals`.

    Raises: Invalid if it has more decimals than the asset, or leaves the signed 64-bit range.
    """
    if not amount.is_finite():
        raise Invalid("The amount is not a number.", field="amount")
    # The usual 28 digits would round a long tail away unseen.
    with localcontext(prec=LONGEST):
        units = amount.scaleb(decimals)
    if units != units.to_integral_value():
        raise Invalid(f"At most {decimals} decimals.", field="amount")
    if abs(units) > MAX_UNITS:
        raise Invalid("The amount is out of range.", field="amount")
    return int(units)


def from_units(units: int, decimals: int) -> Decimal:
    """The Decimal with exactly `decimals` places that `units` stands for."""
    return Decimal(units).scaleb(-decimals)


def written(units: int, decimals: int) -> str:
    """`units` at the asset's fixed scale, never in exponent form: `"1.2500000000"`. Nothing is kept of it."""
    if units < 0:
        return f"-{written(-units, decimals)}"
    scale = SCALES[decimals]
    return f"{units // scale}.{units % scale:0{decimals}d}" if decimals else str(units)


@lru_cache(maxsize=8192)
def wire(units: int, decimals: int) -> str:
    """The same for answers, where bots ask for the same amounts again and again."""
    return written(units, decimals)


def plain(amount: Decimal) -> str:
    """`amount` without padding or exponent: `"1.25"`, `"1000"`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_plain(text: str) -> Decimal:
    """An amount as people type it: ASCII digits and at most one point (security IN-2).

    Raises: Invalid for a sign, exponent, space, underscore, other digits, or nothing above zero.
    """
    return _positive(text, PLAIN)


def parse_wire(value: object) -> Decimal:
    """An amount as bots send it: text or JSON number, also `1e-05`, up to 40 characters (security IN-2).

    Raises: Invalid as `parse_plain`.
    """
    text = str(value) if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""
    if len(text) > WIRE_LENGTH:
        raise Invalid("The amount is too long.", field="amount")
    return _positive(text, WIRE)


def _positive(text: str, pattern: re.Pattern[str]) -> Decimal:
    if not pattern.fullmatch(text):
        raise Invalid("Write the amount in digits with a point, for example 1.25.", field="amount")
    amount = Decimal(text)
    if amount <= 0:
        raise Invalid("The amount must be above zero.", field="amount")
    return amount
