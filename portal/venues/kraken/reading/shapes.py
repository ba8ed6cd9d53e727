"""What the exchange says, taken apart value by value: what has another shape than it should is said, never guessed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

# As many digits as Decimal reckons with exactly unless told otherwise, and as many places as are written anywhere.
MOST_DIGITS: Final = 28
MOST_PLACES: Final = 18
LONGEST_NUMBER: Final = 40
LONGEST_TEXT: Final = 500

Row = Mapping[str, Any]


class OtherShape(Exception):
    """It is not what this question is answered with."""


def mapping(value: object) -> Row:
    """An object of JSON. Raises: OtherShape."""
    if not isinstance(value, dict):
        raise OtherShape("no object")
    return value


def rows(value: object) -> list[tuple[str, Row]]:
    """An object whose values are objects: names and rows, in the exchange's order. Raises: OtherShape."""
    return [(short(name), mapping(row)) for name, row in mapping(value).items()]


def listed(value: object) -> list[Row]:
    """A list of objects. Raises: OtherShape."""
    if not isinstance(value, list):
        raise OtherShape("no list")
    return [mapping(row) for row in value]


def part_of(value: object, name: str) -> Any:  # noqa: ANN401  (whatever JSON can be)
    """What an object has under that name. Raises: OtherShape if that is nothing."""
    found = mapping(value).get(name)
    if found is None:
        raise OtherShape(f"no {name}")
    return found


def text(row: Row, name: str, default: str | None = None) -> str:
    """The text under that name; `default`, if there is one, where nothing stands. Raises: OtherShape."""
    value = row.get(name)
    if value is None and default is not None:
        return default
    return short(value)


def short(value: object) -> str:
    """A text no longer than any that is meant, without NUL. Raises: OtherShape."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        raise OtherShape("no text")
    return value


def number(row: Row, name: str, default: str | None = None) -> Decimal:
    """The number under that name, exactly as it was written, as text or as a number. Raises: OtherShape."""
    value = row.get(name)
    if value is None and default is not None:
        return Decimal(default)
    return exact(value)


def exact(value: object) -> Decimal:
    """A number in its own digits. Raises: OtherShape if it is none, or longer than can be reckoned with exactly."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > LONGEST_NUMBER:
        raise OtherShape("no number")
    try:
        found = Decimal(value)
    except InvalidOperation as error:
        raise OtherShape("no number") from error
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or not -MOST_PLACES <= exponent <= MOST_DIGITS:
        raise OtherShape("a number out of range")
    plain = Decimal(f"{found:f}")
    if len(plain.as_tuple().digits) > MOST_DIGITS:
        raise OtherShape("a number out of range")
    return plain


def whole(row: Row, name: str, default: int | None = None) -> int:
    """The whole number under that name. Raises: OtherShape."""
    value = number(row, name, None if default is None else str(default))
    if value != value.to_integral_value():
        raise OtherShape("no whole number")
    return int(value)


def moment(row: Row, name: str) -> datetime:
    """The instant that so many seconds since 1970 are. Raises: OtherShape."""
    at = moment_or_none(row, name)
    if at is None:
        raise OtherShape(f"no {name}")
    return at


def moment_or_none(row: Row, name: str) -> datetime | None:
    """The same, None where nothing or zero stands. Raises: OtherShape."""
    seconds = number(row, name, "0")
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise OtherShape("no time") from error


def flag(row: Row, name: str) -> bool:
    """Whether it says true. Raises: OtherShape if it says what is neither."""
    value = row.get(name, False)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise OtherShape(f"{name} is neither true nor false")
    return value


def places(value: Decimal) -> int:
    """How many digits stand behind its point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
