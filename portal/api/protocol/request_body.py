"""The fields of a body: one parser for forms, one for JSON, one for what a socket has decoded.

Whatever cannot mean one thing only is refused: fields named twice, duplicate JSON keys, control characters, NaN.
Numbers of a JSON body keep the text they were sent as, so that no amount and no nonce passes through a float.
"""

import json
import re
import unicodedata
from collections.abc import KeysView, Mapping
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias
from urllib.parse import unquote_plus

from portal.api.protocol.envelope import ApiError, Error
from portal.venues.relaying import Number

Value: TypeAlias = "str | bool | list[Value] | dict[str, Value] | None"

FORM: Final = "application/x-www-form-urlencoded"
JSON_BODY: Final = "application/json"

MAX_FIELDS: Final = 100
MAX_NAME: Final = 64
MAX_TEXT: Final = 4096
MAX_DEPTH: Final = 4
# Of a decoded number: no amount has so many digits, and writing them all out would take long.
MAX_PLACES: Final = 100
LONGEST_BITS: Final = 320
# The only fields that may be repeated, or numbered as in `asset[0]=`, or both as in `asset[]=`.
LISTS: Final = frozenset(
    {"asset", "pair", "txid", "id", "lock_type", "fields", "oflags", "orders", "cl_ord_ids", "execution_venue"}
)
NUMBERED: Final = re.compile(r"(\w+)\[[0-9]{0,3}\]", re.ASCII)
UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What no method is told.
OF_THE_CALL: Final = frozenset({"nonce", "otp"})
# What says nothing; one client writes an absent value as the text `None`.
NOTHING: Final = (None, "", "None")


class Fields:
    """What one call says. Fields that its method does not ask for are nobody's concern."""

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, Value]) -> None:
        self._fields = fields

    @property
    def names(self) -> KeysView[str]:
        """The names of all fields, whether or not they say something."""
        return self._fields.keys()

    @property
    def nonce(self) -> str:
        """The nonce's text, the same for the signature and for the check; empty if there is none."""
        value = self._fields.get("nonce")
        return value if isinstance(value, str) else ""

    @property
    def said(self) -> dict[str, Value]:
        """Everything that was said, but for what is about the call itself."""
        return {name: value for name, value in self._fields.items() if name not in OF_THE_CALL and value is not None}

    def value(self, name: str) -> Value:
        """What the field says; None if it says nothing."""
        value = self._fields.get(name)
        return None if value in NOTHING else value


def parse(media_type: str, body: bytes) -> Fields:
    """The fields of a body; a missing media type counts as a form.

    Raises: ApiError if the body cannot be read, its media type is neither form nor JSON, or it breaks a limit.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        _invalid()
    if media_type in (FORM, ""):
        return Fields(_form(text))
    if media_type == JSON_BODY:
        return Fields(_json(text))
    raise ApiError(Error.INVALID_ARGUMENTS)


def of_message(given: Mapping[str, object]) -> Fields:
    """The same of a message on a socket, which is decoded JSON whose numbers are whole ones or Decimals.

    Raises: ApiError if it breaks a limit.
    """
    fields = {_clean(name, MAX_NAME): _spelled(value, MAX_DEPTH - 1) for name, value in given.items()}
    return Fields(fields) if len(fields) == len(given) <= MAX_FIELDS else _invalid()


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
        may_repeat = name in LISTS or bool(base and name.endswith("[]"))
        if (len(values) > 1 and not may_repeat) or base in given:
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


def _spelled(value: object, depth: int) -> Value:
    """A decoded value as `_json` would have left it: numbers are the text that spells them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _clean(value, MAX_TEXT)
    if isinstance(value, int) and value.bit_length() <= LONGEST_BITS:
        return Number(value)
    if isinstance(value, Decimal):
        # Plain digits where there are few of them: a zero is not to look like `0E-8`.
        text = f"{value:f}" if abs(value.adjusted()) < MAX_PLACES else str(value)
        return Number(text) if len(text) <= MAX_TEXT else _invalid()
    if isinstance(value, list | dict) and depth > 0 and len(value) <= MAX_FIELDS:
        if isinstance(value, dict):
            return {_clean(name, MAX_NAME): _spelled(each, depth - 1) for name, each in value.items()}
        return [_spelled(each, depth - 1) for each in value]
    return _invalid()


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
