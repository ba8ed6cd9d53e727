"""Answers of the exchange with something taken out: everything else stays as it came, known or not."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portal.venues.kraken.upstream.envelope import NOT_JSON, Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost

Parts = dict[str, msgspec.Raw]

_OBJECT: Final = msgspec.json.Decoder(Parts)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


def parts(raw: bytes | msgspec.Raw | None) -> Parts:
    """The members of an object, each as it was written. Raises: AnswerLost if it is none."""
    try:
        return _OBJECT.decode(raw if raw is not None else b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerLost(NOT_JSON) from error


def items(raw: bytes | msgspec.Raw | None) -> list[msgspec.Raw]:
    """The same of a list."""
    try:
        return _LIST.decode(raw if raw is not None else b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerLost(NOT_JSON) from error


def with_result(answer: Answer, result: Mapping[str, Any] | list[msgspec.Raw]) -> Answer:
    """The same envelope around another result."""
    raw = msgspec.json.encode(result)
    body = msgspec.json.encode({**parts(answer.body), "result": msgspec.Raw(raw)})
    return Answer(body, answer.media_type, answer.errors, answer.warnings, raw)


def without_result(answer: Answer) -> Answer:
    """The same envelope around nothing."""
    left = {name: written for name, written in parts(answer.body).items() if name != "result"}
    return Answer(msgspec.json.encode(left), answer.media_type, answer.errors, answer.warnings, None)
