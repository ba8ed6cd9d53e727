"""What a call says: one parser for forms, one for JSON, and typed readings of the fields.

Whatever cannot mean one thing only is refused: fields named twice, duplicate JSON keys, control characters, NaN.
Numbers of a JSON body keep the text they were sent as, so that no amount and no nonce passes through a float.
"""

import json
import re
import unicodedata
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias
from urllib.parse import unquote_plus

from portal.api.envelope import ApiError, Error
from portal.core.money import WIRE, WIRE_LENGTH, parse_wire

Value: TypeAlias = "str | bool | list[Value] | dict[str, Value] | None"

FORM: Final = "application/x-www-form-urlencoded"
JSON_BODY: Final = "application/json"

MAX_FIELDS: Final = 100
MAX_NAME: Final = 64
MAX_TEXT: Final = 4096
MAX_DEPTH: Final = 4
# The only fields that may be repeated, or numbered as in `asset[0]=`.
LISTS: Final = frozenset({"asset", "pair", "txid", "id", "lock_type", "orders", "cl_ord_ids"})
NUMBERED: Final = re.compile(r"(\w+)\[[0-9]{1,3}\]", re.ASCII)
UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
WHOLE: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
SECONDS: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Number(str):
    """A JSON number, as the text it was sent as."""

    __slots__ = ()


class Parameters:
    """The fields of one call, each read at most one way. Unknown ones are nobody's concern."""

    def __init__(self, fields: dict[str, Value]) -> None:
        self._fields = fields

    @property
    def nonce(self) -> str:
        """The nonce's text, the same for the signature and for the check; empty if there is none."""
        value = self._fields.get("nonce")
        return value if isinstance(value, str) else ""

    def has(self, name: str) -> bool:
        """Whether the field says anything; one client writes an absent value as the text `None`."""
        return self._fields.get(name) not in (None, "", "None")

    def text(self, name: str, default: str = "") -> str:
        value = self._fields.get(name)
        if not self.has(name):
            return default
        return value if isinstance(value, str) else _invalid()

    def needed(self, name: str) -> str:
        """Raises: ApiError if the field is missing."""
        return self.text(name) or _invalid()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """`true`, `True`, `1` or JSON true, and their opposites."""
        value = self._fields.get(name)
        if isinstance(value, bool):
            return value
        if not self.has(name):
            return default
        text = self.text(name).lower()
        return FLAGS[text] if text in FLAGS else _invalid()

    def is_flag(self, name: str) -> bool:
        """Whether the field reads as true or false."""
        value = self._fields.get(name)
        return isinstance(value, bool) or (isinstance(value, str) and value.lower() in FLAGS)

    def names(self, name: str) -> tuple[str, ...]:
        """A list, however it was spelled: with commas, repeated, numbered, or as a JSON array."""
        value = self._fields.get(name)
        if not isinstance(value, list):
            return tuple(filter(None, (part.strip() for part in self.text(name).split(","))))
        texts = tuple(part for part in value if isinstance(part, str))
        return texts if len(texts) == len(value) else _invalid()

    def choice(self, name: str, allowed: Container[str], default: str) -> str:
        text = self.text(name, default)
        return text if text in allowed else _invalid()

    def whole(self, name: str, *, default: int, lowest: int, highest: int) -> int:
        text = self.text(name)
        if not text:
            return default
        number = int(text) if WHOLE.fullmatch(text) else -1
        return number if lowest <= number <= highest else _invalid()

    def amount(self, name: str) -> Decimal:
        """Above zero, digits as security IN-2. Raises: Invalid beside `amount` if it is none; ApiError if missing."""
        return parse_wire(self.needed(name))

    def limit(self, name: str) -> Decimal | None:
        """An amount that may be zero, or None if the field is missing."""
        text = self.text(name)
        if not text:
            return None
        return Decimal(text) if len(text) <= WIRE_LENGTH and WIRE.fullmatch(text) else _invalid()

    def instant(self, name: str) -> datetime | None:
        """Unix seconds, with or without a fraction."""
        text = self.text(name)
        if not text:
            return None
        return parse_seconds(text) or _invalid()


def parse_seconds(text: str) -> datetime | None:
    """The instant of a text of Unix seconds; None if it is something else."""
    if not SECONDS.fullmatch(text):
        return None
    try:
        return EPOCH + timedelta(microseconds=int(Decimal(text) * 1_000_000))
    except OverflowError:
        return None


def parse(media_type: str, body: bytes) -> Parameters:
    """The fields of a body; a missing media type counts as a form.

    Raises: ApiError if the body cannot be read, its media type is neither form nor JSON, or it breaks a limit.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        _invalid()
    if media_type in (FORM, ""):
        return Parameters(_form(text))
    if media_type == JSON_BODY:
        return Parameters(_json(text))
    raise ApiError(Error.INVALID_ARGUMENTS)


def _form(text: str) -> dict[str, Value]:
    pieces = [piece for piece in text.split("&") if piece]
    if len(pieces) > MAX_FIELDS:
        _invalid()
    given: dict[str, list[Value]] = {}
    for piece in pieces:
        name, equals, value = piece.partition("=")
        if not equals or BROKEN_ESCAPE.search(piece):
            _invalid()
        given.setdefault(_clean(_unquote(name), MAX_NAME), []).append(_clean(_unquote(value), MAX_TEXT))
    fields: dict[str, Value] = {}
    lists: dict[str, list[Value]] = {}
    for name, values in given.items():
        numbered = NUMBERED.fullmatch(name)
        base = numbered[1] if numbered and numbered[1] in LISTS else ""
        if base:
            lists.setdefault(base, []).extend(values)
        elif len(values) > 1 and name in LISTS:
            fields[name] = values
        else:
            fields[name] = values[0]
        if (len(values) > 1 and name not in LISTS) or base in given:
            _invalid()
    return fields | lists


def _json(text: str) -> dict[str, Value]:
    try:
        # Numbers stay text, so a long run of digits costs nothing.
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=lambda _: _invalid(),
        )
    except (ValueError, RecursionError):
        _invalid()
    if not isinstance(value, dict):
        _invalid()
    return {name: _checked(each, MAX_DEPTH - 1) for name, each in value.items()}


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    """Duplicate keys are refused, in whatever spelling Unicode allows."""
    fields = {_clean(name, MAX_NAME): value for name, value in pairs}
    return fields if len(fields) == len(pairs) <= MAX_FIELDS else _invalid()


def _checked(value: Value, depth: int) -> Value:
    if isinstance(value, Number):
        return value if len(value) <= MAX_TEXT else _invalid()
    if isinstance(value, str):
        return _clean(value, MAX_TEXT)
    if isinstance(value, list | dict):
        if depth == 0 or len(value) > MAX_FIELDS:
            _invalid()
        if isinstance(value, dict):
            return {name: _checked(each, depth - 1) for name, each in value.items()}
        return [_checked(each, depth - 1) for each in value]
    return value


def _unquote(text: str) -> str:
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        _invalid()


def _clean(text: str, longest: int) -> str:
    """The text in Unicode's composed form; control characters and overlong texts are refused (security IN-1)."""
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return text
    if len(text) > longest or UNPRINTABLE.search(text):
        _invalid()
    return unicodedata.normalize("NFC", text)


def _invalid() -> NoReturn:
    raise ApiError(Error.INVALID_ARGUMENTS)
