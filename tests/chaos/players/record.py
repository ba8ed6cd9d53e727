"""What was asked and what came of it, written down at once: one line of JSON for each call."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO


class Outcome(StrEnum):
    """What the caller may rely on: it happened, it did not, or nobody said."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: by whom, what, with which words, from when until when, and what came of it.

    Moments are in seconds since 1970. `words` is the refusal, or what stood in the way of an answer.
    """

    who: str
    what: str
    fields: Mapping[str, Any]
    began: float
    ended: float
    outcome: Outcome
    words: str = ""
    answer: Any = None

    @property
    def seconds(self) -> float:
        """How long the caller waited."""
        return self.ended - self.began


class Refused(Exception):
    """The installation said no, and why."""


class Unanswered(Exception):
    """Nothing came that says what happened; why not."""


@dataclass
class Record:
    """A file of one program's calls."""

    path: Path
    _file: TextIO = field(init=False, repr=False)

    def __enter__(self) -> "Record":
        self._file = self.path.open("a", buffering=1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def begin(self, who: str, what: str, fields: Mapping[str, Any]) -> "Call":
        """A call that is made now."""
        return Call(self, who, what, fields, time.time())

    def write(self, asked: Asked) -> None:
        """One line more."""
        self._file.write(json.dumps(asdict(asked)) + "\n")


@dataclass(frozen=True, slots=True)
class Call:
    """One that has begun. It ends in one of three ways."""

    record: Record
    who: str
    what: str
    fields: Mapping[str, Any]
    began: float

    def done(self, answer: Any) -> None:
        """It was answered."""
        self._end(Outcome.DONE, answer=answer)

    def refused(self, words: str) -> None:
        """It was answered with no."""
        self._end(Outcome.REFUSED, words)

    def unknown(self, words: str) -> None:
        """It was not answered, or with words that leave it open."""
        self._end(Outcome.UNKNOWN, words)

    def _end(self, outcome: Outcome, words: str = "", answer: Any = None) -> None:
        asked = Asked(self.who, self.what, self.fields, self.began, time.time(), outcome, words[:200], answer)
        self.record.write(asked)


def read(folder: Path) -> Iterator[Asked]:
    """All that was written in that folder, in no order; of a line that was not finished, nothing."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                row = json.loads(line)
                yield Asked(**{**row, "outcome": Outcome(row["outcome"])})
