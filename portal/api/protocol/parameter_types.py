"""The kinds of values a parameter may have: how each is read from the wire, and how it is described."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NoReturn, Protocol, TypeVar

from portal.api.protocol.envelope import JSON, ApiError, Error
from portal.api.protocol.request_body import Value
from portal.core.money import WIRE, WIRE_LENGTH, parse_wire

T_co = TypeVar("T_co", covariant=True)

WHOLE: Final = re.compile(r"-?[0-9]{1,10}", re.ASCII)
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Kind(Protocol[T_co]):
    """One kind of value. `read` raises ApiError, or Invalid for an amount, if the value is none of its kind."""

    def read(self, value: Value) -> T_co:
        """The value of a field that is there and not empty."""

    def schema(self) -> dict[str, JSON]:
        """The kind as JSON Schema. Forms spell every value as text, which the description says once for all."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text; a JSON number counts as the text it was sent as."""

    longest: int = 255
    pattern: str = ""
    error: Error = Error.INVALID_ARGUMENTS

    def read(self, value: Value) -> str:
        """The text, if it is short enough and fits the pattern."""
        text = text_of(value, self.error)
        if len(text) > self.longest or (self.pattern and not re.fullmatch(self.pattern, text, re.ASCII)):
            raise ApiError(self.error)
        return text

    def schema(self) -> dict[str, JSON]:
        """Its length and pattern, in OpenAPI's words."""
        pattern: dict[str, JSON] = {"pattern": f"^(?:{self.pattern})$"} if self.pattern else {}
        return {"type": "string", "maxLength": self.longest, **pattern}


@dataclass(frozen=True, slots=True)
class Flag:
    """`true`, `True`, `1` or JSON true, and their opposites."""

    def read(self, value: Value) -> bool:
        """Whether it says yes."""
        if isinstance(value, bool):
            return value
        text = text_of(value).lower()
        return FLAGS[text] if text in FLAGS else invalid()

    def schema(self) -> dict[str, JSON]:
        """A boolean; that text does as well is said once, for all methods."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, value: Value) -> str:
        """The word, in exactly one of the spellings there are."""
        text = text_of(value)
        return text if text in self.words else invalid()

    def schema(self) -> dict[str, JSON]:
        """Its words."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Names:
    """A list of words, however it was spelled: with commas, repeated, numbered, or as a JSON array."""

    most: int = 100
    words: tuple[str, ...] = ()
    may_be_none: bool = False

    def read(self, value: Value) -> tuple[str, ...]:
        """The words in the order they came: `most` at most, and one at least unless `may_be_none`."""
        if value == [] and self.may_be_none:
            return ()
        if isinstance(value, list):
            texts = tuple(part for part in value if isinstance(part, str))
            if len(texts) != len(value):
                invalid()
        else:
            texts = tuple(filter(None, (part.strip() for part in text_of(value).split(","))))
        if not 0 < len(texts) <= self.most or (self.words and not set(texts) <= set(self.words)):
            invalid()
        return texts

    def schema(self) -> dict[str, JSON]:
        """Text with commas, or an array."""
        items: dict[str, JSON] = {"type": "string", **({"enum": list(self.words)} if self.words else {})}
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": items, "minItems": 1, "maxItems": self.most}]}


@dataclass(frozen=True, slots=True)
class PairNames:
    """A list of pairs; one client sends objects that name each as an `asset`."""

    def read(self, value: Value) -> tuple[str, ...]:
        """The names in the order they came."""
        if isinstance(value, list):
            value = [self._name(each) for each in value]
        return Names().read(value)

    @staticmethod
    def _name(each: Value) -> Value:
        if not isinstance(each, dict):
            return each
        if each.get("aclass") not in (None, "currency", "forex"):
            raise ApiError(Error.UNKNOWN_PAIR)
        return each.get("asset")

    def schema(self) -> dict[str, JSON]:
        """Text with commas, or an array of names or of objects that hold one."""
        named: JSON = {"type": "object", "required": ["asset"], "properties": {"asset": {"type": "string"}}}
        items: JSON = {"anyOf": [{"type": "string"}, named]}
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": items, "minItems": 1, "maxItems": 100}]}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two bounds, both allowed."""

    lowest: int
    highest: int

    def read(self, value: Value) -> int:
        """The number, if it is within its bounds."""
        text = text_of(value)
        number = int(text) if WHOLE.fullmatch(text) else self.lowest - 1
        return number if self.lowest <= number <= self.highest else invalid()

    def schema(self) -> dict[str, JSON]:
        """Its bounds."""
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}


@dataclass(frozen=True, slots=True)
class Amount:
    """Money above zero, digits as security IN-2. Raises: Invalid beside `amount`."""

    def read(self, value: Value) -> Decimal:
        """The exact amount, in the unit of its asset. Raises: Invalid where it is written wrong."""
        return parse_wire(text_of(value))

    def schema(self) -> dict[str, JSON]:
        """A number, or a text that spells one."""
        return _decimal()


@dataclass(frozen=True, slots=True)
class Size:
    """A number that is not money to be moved: zero or more, spelled like an amount."""

    error: Error = Error.INVALID_ARGUMENTS

    def read(self, value: Value) -> Decimal:
        """The exact number."""
        text = text_of(value)
        if len(text) > WIRE_LENGTH or not WIRE.fullmatch(text):
            raise ApiError(self.error)
        return Decimal(text)

    def schema(self) -> dict[str, JSON]:
        """A number, or a text that spells one."""
        return _decimal()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: true asks for its first page, a text for the page it names; false for a plain list."""

    def read(self, value: Value) -> bool | str:
        """Whether pages are asked for, or the text that names the page."""
        if isinstance(value, bool):
            return value
        text = text_of(value)
        return FLAGS.get(text.lower(), text) if len(text) <= 255 else invalid()

    def schema(self) -> dict[str, JSON]:
        """A boolean or a text."""
        return {"type": ["boolean", "string"], "maxLength": 255}


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever is there; it only matters that it is. An empty list or object is nothing."""

    def read(self, value: Value) -> bool:
        """Whether anything is there."""
        return value not in ([], {})

    def schema(self) -> dict[str, JSON]:
        """No bounds at all."""
        return {}


USERREF: Final = Whole(-(2**31), 2**31 - 1)
CLIENT_ID: Final = Text(
    longest=36,
    pattern="[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[!-~]{1,18}",
)
# What a call wants to take back. A name that no order can have is said in the protocol's own string for it: one bot
# cancels such a name at every start, and goes on after this answer alone.
CANCELLED_ORDER: Final = Text(
    longest=20, pattern="-?[0-9]{1,10}|[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}", error=Error.INVALID_ORDER
)
CANCELLED_CLIENT_ID: Final = replace(CLIENT_ID, error=Error.INVALID_ORDER)


def text_of(value: Value, error: Error = Error.INVALID_ARGUMENTS) -> str:
    """The text of a value, also of a JSON number. Raises: ApiError if it has none."""
    if not isinstance(value, str):
        raise ApiError(error)
    # Not what only looks like one: encoders take no class that they do not know.
    return str(value)


def _decimal() -> dict[str, JSON]:
    return {"type": ["string", "number"], "pattern": f"^(?:{WIRE.pattern})$"}


def invalid() -> NoReturn:
    """Raises: ApiError."""
    raise ApiError(Error.INVALID_ARGUMENTS)
