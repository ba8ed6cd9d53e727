"""The exchange's answer, read as far as everybody needs it: errors apart from the result, which stays as it came."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, meaning

JSON_TYPES: Final = ("application/json", "text/json")
# No database keeps a NUL in a text, and no word of an exchange needs one.
NUL: Final = rb"\u0000"
IN_ITS_PLACE: Final = rb"\ufffd"
NOT_JSON: Final = "The exchange answered something that is none of its answers."


class _Envelope(msgspec.Struct):
    error: list[str]
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` to the byte, its errors without warnings, and the JSON of its result, if there is one."""

    body: bytes
    media_type: str
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    result: bytes | None

    @property
    def meaning(self) -> Meaning | None:
        """What the errors say of the call; None where it went well."""
        return meaning(self.errors) if self.errors else None

    def decoded(self) -> Any:  # noqa: ANN401  (whatever JSON can be)
        """The result as Python has it, numbers exactly as they were written (Decimal where there is a point),
        texts without NUL.

        Raises: AnswerLost if there is none, or it is no JSON.
        """
        if self.result is None:
            raise AnswerLost(NOT_JSON)
        try:
            return _DECODER.decode(self.result.replace(NUL, IN_ITS_PLACE))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise AnswerLost(NOT_JSON) from error


_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def read(body: bytes, media_type: str) -> Answer:
    """The answer in `body`, whatever its status was: that says less than the body does.

    Raises: AnswerLost if it is no answer of the protocol: HTML of a network in between, half of one, or of another
    shape.
    """
    try:
        found = _ENVELOPE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerLost(NOT_JSON) from error
    said = [each.replace("\0", "\ufffd") for each in found.error]
    errors = tuple(each for each in said if not each.startswith("W"))
    warnings = tuple(each for each in said if each.startswith("W"))
    result = None if isinstance(found.result, msgspec.UnsetType) else bytes(found.result)
    if result is None and not errors:
        raise AnswerLost(NOT_JSON)
    return Answer(body, media_type, errors, warnings, result)
