"""How a record of the log is written: as text for people, or as one JSON object a line for programs.

Neither lets a newline in what somebody sent begin a line of its own. What a record is given beside its message is not
written, but for what is named here.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

# Of one line: journald cuts what is longer than 48 KiB in pieces, none of which is JSON.
LONGEST: Final = 40_000
LONGEST_MESSAGE: Final = 4_000
CUT: Final = " […] "
# What may end a line, or move the cursor, for whoever reads it.
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What is being done goes by this name, for each kind of who does it.
DOING: Final = {"person": "route", "bot": "method", "operator": "command", "system": "task"}


class TextLine(logging.Formatter):
    """For people: one line, and a traceback below it with two spaces before each line."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} [{request_id}]: {message}", style="{", defaults=_UNKNOWN)

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        line = CONTROL.sub(_escape, self.formatMessage(record))
        below = (CONTROL.sub(_escape, each) for each in _traceback(record).split("\n") if each)
        return "\n  ".join((line, *below))


class JsonLine(logging.Formatter):
    """For programs: one object a line, in ASCII, each with the same names where there is something to say."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, no longer than a journal keeps in one piece."""
        said = told_of(record)
        traceback = _traceback(record)
        if traceback:
            said["traceback"] = traceback
        line = json.dumps(said)
        while len(line) > LONGEST:
            longest = max((name for name in said if isinstance(said[name], str)), key=lambda name: len(str(said[name])))
            text = str(said[longest])
            said[longest] = _shortened(text, len(text) // 2)
            line = json.dumps(said)
        return line


_UNKNOWN: Final = {"request_id": "-"}


def told_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line says of the record, by name, but for its traceback; in this order."""
    # What a server says before the portal is there has no call, and came by no filter.
    actor = str(getattr(record, "actor", "system"))
    said: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _shortened(record.getMessage(), LONGEST_MESSAGE),
        "request_id": str(getattr(record, "request_id", "-")),
        "actor": actor,
        "process": record.process,
    }
    doing = str(getattr(record, "doing", ""))
    if actor == "person" and doing:
        said["verb"], _, doing = doing.partition(" ")
    if doing:
        said[DOING.get(actor, "task")] = doing[:100].removeprefix("/0/private/").removeprefix("/0/public/")
    status = getattr(record, "status_code", None)
    if isinstance(status, int):
        said["status"] = status
    return said


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    return "\n".join(each for each in (record.exc_text, record.stack_info) if each)


def _shortened(text: str, length: int) -> str:
    """Its beginning and its end: of a traceback the end says what it was."""
    if len(text) <= length:
        return text
    half = max(1, (length - len(CUT)) // 2)
    return f"{text[:half]}{CUT}{text[-half:]}"


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
