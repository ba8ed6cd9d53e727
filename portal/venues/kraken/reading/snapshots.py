"""What the exchange says to a page's questions, kept for when it says nothing.

A page waits `PAGE_SECONDS` for all its questions together, and not at all inside of a transaction. Of pages that ask
the same at the same time one asks the exchange, and the others wait for what it brings.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from django.utils import timezone

from portal.core.clocks import is_ahead
from portal.core.database.one_reading import is_kept, keep, once
from portal.core.errors import Busy, Unavailable
from portal.core.lanes import lane
from portal.venues.kraken import calling, shares
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import TROUBLE_LENGTH, Snapshot
from portal.venues.kraken.reading.shapes import OtherShape
from portal.venues.kraken.upstream import transport
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.types import AsOf

T = TypeVar("T")

# So that a page is there within three seconds, whatever the exchange does.
PAGE_SECONDS: Final = 2.0
LEAST_SECONDS: Final = 0.05
ENDS: Final = "the end of patience with exchanges"
# What was read so lately is not asked again; nor is what could not be read.
FRESH: Final = timedelta(seconds=2)
PAUSE: Final = timedelta(seconds=5)
LIMIT: Final = 4 * 1024 * 1024
NEVER: Final = "This was never read from the exchange."
OTHER_SHAPE: Final = "The exchange answered in a shape that this portal does not know."
TOO_SLOW: Final = transport.NO_ANSWER
OVER_SHARE: Final = (
    "Pages have used their share of the calls that the exchange takes of this Account for now. Bots keep theirs."
)
IN_TRANSACTION: Final = "The exchange is not asked while something is being changed."


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A method with its fields, and how its result is read. `permission`: what its credential should have for it.

    `parse` raises OtherShape, and bears what was kept years ago.
    """

    method: str
    parse: Callable[[Any], T]
    fields: Mapping[str, Any] = field(default_factory=dict)
    permission: str = ""
    fresh: timedelta = FRESH


class NotAnswered(Unavailable):
    """The exchange refused to answer, with these error strings."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(f"The exchange answered: {', '.join(errors)}."[:TROUBLE_LENGTH])
        self.errors = errors


def kept(account_id: int, part: str, question: Question[T]) -> T:
    """What the exchange says now, or what it last said; `as_of` then tells which.

    Raises: Unavailable if it never said anything that can be read.
    """
    row = _row(account_id, part)
    if calling.may_ask() and is_due(row, question.fresh):
        row = _renewed(account_id, part, question)
    told = AsOf(row.read_at, row.trouble) if row else AsOf(None, NEVER)
    say(account_id, part, told)
    if row is None or not row.answer:
        raise Unavailable(told.trouble or NEVER)
    try:
        return question.parse(decoded(row.answer))
    except OtherShape as error:
        raise Unavailable(OTHER_SHAPE) from error


def asked(account_id: int, part: str, question: Question[T]) -> T:
    """What the exchange says now, for pages further back: nothing of it is kept.

    Raises: Unavailable; NotAnswered among them, with the exchange's own errors.
    """
    if not calling.may_ask():
        raise Unavailable(IN_TRANSACTION)
    try:
        found = question.parse(_answer(account_id, question).decoded())
    except OtherShape as error:
        raise Unavailable(OTHER_SHAPE) from error
    say(account_id, part, AsOf(timezone.now()))
    return found


def last(account_id: int, part: str, question: Question[T]) -> tuple[T, datetime] | None:
    """What the exchange last said to that question, and when; None if it never did. It is not asked."""
    row = _row(account_id, part)
    if row is None or not row.answer or row.read_at is None:
        return None
    try:
        return question.parse(decoded(row.answer)), row.read_at
    except OtherShape:
        return None


def as_of(account_id: int, part: str) -> AsOf:
    """Of which moment is what was told of this part, and why of no later one."""

    def read() -> AsOf:
        row = _row(account_id, part)
        return AsOf(row.read_at, row.trouble) if row else AsOf(None, NEVER)

    return once(_named(account_id, part), read)


def say(account_id: int, part: str, told: AsOf) -> None:
    """Have `as_of` answer so on this page."""
    keep(_named(account_id, part), told)


def decoded(kept_answer: str) -> Any:  # noqa: ANN401  (whatever JSON can be)
    """A kept answer as it was when it came. Raises: AnswerLost."""
    return Answer(b"", "", (), (), kept_answer.encode()).decoded()


def is_due(row: Snapshot | None, fresh: timedelta) -> bool:
    """Whether it is time to ask again. What was written under a clock that ran ahead is no reason to wait."""
    if row is None:
        return True
    now = timezone.now()
    last, pause = (row.tried_at, PAUSE) if row.trouble else (row.read_at or row.tried_at, fresh)
    return is_ahead(last, now) or now >= last + pause


def patience(otherwise: float = PAGE_SECONDS) -> float:
    """How many seconds this page still waits for exchanges; `otherwise` for whoever is no page that only reads."""
    ends = once(ENDS, lambda: time.monotonic() + PAGE_SECONDS)
    return ends - time.monotonic() if is_kept(ENDS) else otherwise


def result_of(answer: Answer) -> str:
    """The JSON of its result, to be kept. Raises: NotAnswered; OtherShape if there is none."""
    if answer.errors:
        raise NotAnswered(answer.errors)
    try:
        return (answer.result or b"").decode()
    except UnicodeDecodeError as error:
        raise OtherShape("no text") from error


def _renewed(account_id: int, part: str, question: Question[T]) -> Snapshot | None:
    """The row after one more try; somebody else's, if that came first."""
    try:
        with lane(f"kraken reading {account_id} {part}", seconds=max(0.0, patience())):
            row = _row(account_id, part)
            if not is_due(row, question.fresh):
                return row
            if patience() >= LEAST_SECONDS:
                return _read(account_id, part, question)
    except Busy:
        row = _row(account_id, part)
    row = row or Snapshot(account_id=account_id, part=part)
    row.trouble = TOO_SLOW
    return row


def _read(account_id: int, part: str, question: Question[T]) -> Snapshot | None:
    now = timezone.now()
    try:
        answer = _answer(account_id, question)
        question.parse(answer.decoded())
        row = Snapshot(
            account_id=account_id, part=part, answer=result_of(answer), read_at=now, tried_at=now, trouble=""
        )
        # What was read later by somebody else is overwritten by what was read at the same time: there is one lane.
        Snapshot.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["account", "part"],
            update_fields=["answer", "read_at", "tried_at", "trouble"],
        )
        return row
    except Unavailable as error:
        trouble = error.message
    except OtherShape:
        trouble = OTHER_SHAPE
    noted = Snapshot(account_id=account_id, part=part, tried_at=now, trouble=trouble[:TROUBLE_LENGTH])
    Snapshot.objects.bulk_create(
        [noted],
        update_conflicts=True,
        unique_fields=["account", "part"],
        update_fields=["tried_at", "trouble"],
    )
    return _row(account_id, part)


def _answer(account_id: int, question: Question[T]) -> Answer:
    """Raises: Unavailable; NotAnswered for an answer that is an error."""
    seconds = patience()
    if seconds < LEAST_SECONDS:
        raise Unavailable(TOO_SLOW)
    credential = finding.for_rest(account_id, question.permission)
    if not shares.take(account_id, shares.PORTAL, question.method):
        raise Unavailable(OVER_SHARE)
    answer = calling.ask(
        credential,
        question.method,
        question.fields,
        seconds=seconds,
        patience=seconds,
        limit=LIMIT,
        is_counted=True,
    )
    result_of(answer)
    return answer


def _row(account_id: int, part: str) -> Snapshot | None:
    return Snapshot.objects.filter(account=account_id, part=part).first()


def _named(account_id: int, part: str) -> tuple[str, int, str]:
    return ("what the exchange said", account_id, part)
