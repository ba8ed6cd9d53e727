"""Times that a call names: instants, ends of lists, places in histories."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from portal.api.protocol.envelope import JSON
from portal.api.protocol.parameter_types import invalid, text_of
from portal.api.protocol.request_body import Value

SECONDS: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
NANOSECONDS: Final = re.compile(r"[0-9]{16,19}", re.ASCII)
AHEAD: Final = re.compile(r"\+[0-9]{1,9}", re.ASCII)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Instant:
    """Unix seconds, with or without a fraction."""

    def read(self, value: Value) -> datetime:
        """The instant, in UTC."""
        return parse_seconds(text_of(value)) or invalid()

    def schema(self) -> dict[str, JSON]:
        """A number or text of seconds."""
        return {"type": ["string", "number"], "description": "Unix seconds"}


@dataclass(frozen=True, slots=True)
class UntilSecond:
    """Unix seconds that end a list whose rows show whole seconds: a whole one counts to its end."""

    def read(self, value: Value) -> datetime:
        """The instant; of a whole second the last microsecond."""
        at = Instant().read(value)
        return at if at.microsecond else at + timedelta(microseconds=999_999)

    def schema(self) -> dict[str, JSON]:
        """The same as that of any instant."""
        return Instant().schema()


@dataclass(frozen=True, slots=True)
class Since:
    """Unix time in whole nanoseconds, as the answer of the page before has it, or in seconds."""

    def read(self, value: Value) -> datetime:
        """The instant; parts of a microsecond are cut off."""
        text = text_of(value)
        if not NANOSECONDS.fullmatch(text):
            return parse_seconds(text) or invalid()
        return EPOCH + timedelta(microseconds=int(text) // 1000)

    def schema(self) -> dict[str, JSON]:
        """A number or text, of nanoseconds or seconds."""
        return {"type": ["string", "number"], "description": "Unix nanoseconds or seconds"}


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a history begins or ends: an instant, or the id of a row, whose time it stands for."""

    def read(self, value: Value) -> datetime | str:
        """The instant, or the id as it came: whether there is such a row is the venue's to say."""
        text = text_of(value)
        if len(text) > 64:
            invalid()
        return parse_seconds(text) or text

    def schema(self) -> dict[str, JSON]:
        """A number or text of seconds, or an id."""
        return {"type": ["string", "number"], "description": "Unix seconds, or the id of a row"}


@dataclass(frozen=True, slots=True)
class Later:
    """A time to come: `0` for none, `+<seconds>` from now, or Unix seconds."""

    def read(self, value: Value) -> timedelta | datetime | None:
        """How far ahead, or when; None for zero."""
        text = text_of(value)
        if text.startswith("+"):
            ahead = timedelta(seconds=int(text[1:])) if AHEAD.fullmatch(text) else invalid()
            return ahead or None
        at = parse_seconds(text) or invalid()
        return at if at > EPOCH else None

    def schema(self) -> dict[str, JSON]:
        """A number or text, in one of its three spellings."""
        return {"type": ["string", "number"], "description": "0, +seconds, or Unix seconds"}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as RFC 3339 writes it."""

    def read(self, value: Value) -> datetime:
        """The instant; one without a zone is no instant."""
        try:
            at = datetime.fromisoformat(text_of(value))
        except ValueError:
            invalid()
        return at if at.tzinfo else invalid()

    def schema(self) -> dict[str, JSON]:
        """Text in the format `date-time`."""
        return {"type": "string", "format": "date-time"}


def parse_seconds(text: str) -> datetime | None:
    """The instant of a text of Unix seconds; None if it is something else."""
    if not SECONDS.fullmatch(text):
        return None
    try:
        return EPOCH + timedelta(microseconds=int(Decimal(text) * 1_000_000))
    except OverflowError:
        return None
