"""What stands on the wire of a socket: requests as they come, answers and data as they go (reference §13, §17)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec
from django.utils import timezone

from portal.api.protocol.envelope import Error
from portal.api.stream.numbers import at

# Rows of a message, or of `instrument` one object. Whatever msgspec writes may stand in them.
Row: TypeAlias = "Mapping[str, object]"
Data: TypeAlias = "Sequence[Row] | Row"

LONGEST_METHOD: Final = 40
HIGHEST_ID: Final = 2**63 - 1
# Numbers are taken as they are written: a price is never a float.
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `req_id` is None unless it said one; `method` is what it said, cut to what a name can be."""

    method: str
    params: Mapping[str, object]
    req_id: int | None
    time_in: datetime


class Malformed(Exception):
    """The frame is no request. `asked` is what could be read of it."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked = asked


def read(text: str, time_in: datetime) -> Asked:
    """A request out of the text of a frame. Raises: Malformed."""
    nothing = Asked("", {}, None, time_in)
    try:
        found = _decoder.decode(text)
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise Malformed(nothing) from error
    if not isinstance(found, dict):
        raise Malformed(nothing)
    method, params, req_id = found.get("method"), found.get("params", {}), found.get("req_id")
    is_number = isinstance(req_id, int) and not isinstance(req_id, bool) and 0 <= req_id <= HIGHEST_ID
    asked = Asked(
        method=method[:LONGEST_METHOD] if isinstance(method, str) else "",
        params=params if isinstance(params, dict) else {},
        req_id=req_id if is_number else None,
        time_in=time_in,
    )
    if not isinstance(method, str) or not isinstance(params, dict) or (req_id is not None and not is_number):
        raise Malformed(asked)
    return asked


def _once(pairs: list[tuple[str, object]]) -> None:
    """Which of two fields of one name was meant nobody can say (security IN-6). Raises: ValueError."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("A field is named twice.")


def success(asked: Asked, result: object) -> str:
    """The answer to a request that was carried out."""
    return _text({"method": asked.method, "result": result, "success": True, **_ends(asked)})


def failure(asked: Asked, error: Error | str, **beside: object) -> str:
    """The answer to one that was not; `beside` names what it was about, as the exchange does for a symbol."""
    said = {"method": asked.method} if asked.method else {}
    return _text({"error": str(error), **said, "success": False, **beside, **_ends(asked)})


def pong(asked: Asked) -> str:
    """The answer to a ping."""
    return _text({"method": "pong", **_ends(asked)})


def status(number: int) -> str:
    """The first frame of every socket; clients read `connection_id` as a float."""
    row = {"api_version": "v2", "connection_id": number, "system": "online", "version": "2.0.0"}
    return data("status", "update", [row])


def data(channel: str, kind: str, rows: Data, *, sequence: int | None = None) -> str:
    """Rows of a channel, `kind` being snapshot or update; `sequence` counts the frames of a private subscription."""
    counted = {} if sequence is None else {"sequence": sequence}
    return _text({"channel": channel, "type": kind, "data": rows, **counted})


def cut_off(channel: str, error: Error) -> str:
    """A subscription ends without having been asked to: said as the answer to an unsubscribe that nobody sent."""
    return _text({"method": "unsubscribe", "success": False, "error": str(error), "result": {"channel": channel}})


def _ends(asked: Asked) -> dict[str, object]:
    said: dict[str, object] = {} if asked.req_id is None else {"req_id": asked.req_id}
    return {**said, "time_in": at(asked.time_in), "time_out": at(timezone.now())}


def _text(frame: Mapping[str, object]) -> str:
    return _encoder.encode(frame).decode()


HEARTBEAT: Final = _text({"channel": "heartbeat"})
