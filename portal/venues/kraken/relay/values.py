"""What fields of a call and of an answer say, whichever of its spellings the protocol was used in."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

YES: Final = frozenset({"true", "1"})
NO: Final = frozenset({"", "none", "false", "0"})
NOTHING: Final = frozenset({"", "None"})
SECONDS: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = Decimal("0.000001")
# Before the point of a number and behind it.
MOST_PLACES: Final = 100


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field that is a text or a number; empty if it is none, or says nothing."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    said = str(value)
    return "" if said in NOTHING else said


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a field says yes, in any of the spellings of clients."""
    value = fields.get(name)
    return value if isinstance(value, bool) else str(value).lower() in YES


def may_say_yes(fields: Mapping[str, Any], name: str) -> bool:
    """Whether the exchange could take it for a yes, for all that anybody knows of it."""
    value = fields.get(name)
    return value is not None and str(value).lower() not in NO


def texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of words: with commas, or as an array."""
    value = fields.get(name)
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    return tuple(part.strip() for part in text(fields, name).split(",") if part.strip())


def number(value: object) -> Decimal | None:
    """A number, or a text of one; None if it is neither, or one that nobody reckons with."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    exponent = found.as_tuple().exponent
    is_reckoned_with = isinstance(exponent, int) and exponent >= -MOST_PLACES and found.adjusted() <= MOST_PLACES
    return found if is_reckoned_with else None


def seconds(said: str) -> Decimal | None:
    """The Unix time that a text names; None if it is something else, an id for instance."""
    return Decimal(said) if SECONDS.fullmatch(said) else None


def unix(at: datetime) -> Decimal:
    """The instant in Unix seconds, exactly."""
    past = at - EPOCH
    return Decimal(past.days * 86_400 + past.seconds) + past.microseconds * MICROSECOND
