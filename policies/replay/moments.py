"""Past withdrawals in order of time: each at its opening, and again when it was executed, with its sums as of then."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final

from policies.measures import Past
from policies.replay.sliding_sums import SlidingSums
from policies.rules.language import SumOf

# At the same instant what leaves a sum leaves it first, and what is executed was asked before.
LEAVES: Final = 0
ASKS: Final = 1
SENDS: Final = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """One past withdrawal when rules looked at it: `totals` in the order of the sums, itself counted in.

    `age_hours` is that of its destination by then. It `is_last` where rules looked at it no more afterwards.
    """

    past: Past
    is_opening: bool
    is_last: bool
    totals: tuple[Decimal, ...]
    age_hours: float


def moments(asked: Iterable[Past], sums: Collection[SumOf]) -> Iterator[Moment]:
    """Each of `asked`, oldest first, as rules saw it then; what others leave behind is kept while it counts."""
    sliding = SlidingSums(sums)
    ahead: list[tuple[datetime, int, int, Past]] = []
    for place, past in enumerate(asked):
        yield from _until((past.asked_at, ASKS), ahead, sliding)
        sliding.advance(past.asked_at)
        sliding.hold(past.situation)
        if past.sent_at is not None:
            heappush(ahead, (max(past.sent_at, past.asked_at), SENDS, place, past))
        elif past.released_at is not None:
            heappush(ahead, (max(past.released_at, past.asked_at), LEAVES, place, past))
        yield Moment(
            past,
            is_opening=True,
            is_last=past.sent_at is None,
            totals=sliding.of(past.situation),
            age_hours=past.situation.age_hours,
        )
    yield from _until(None, ahead, sliding)


def _until(
    end: tuple[datetime, int] | None, ahead: list[tuple[datetime, int, int, Past]], sliding: SlidingSums
) -> Iterator[Moment]:
    """What happened before that; with None, all that did."""
    while ahead and (end is None or ahead[0][:2] < end):
        at, what, _, past = heappop(ahead)
        sliding.advance(at)
        if what == LEAVES:
            sliding.release(past.situation)
            continue
        sliding.send(past.situation, at)
        waited = (at - past.asked_at).total_seconds() / 3600
        yield Moment(
            past,
            is_opening=False,
            is_last=True,
            totals=sliding.of(past.situation),
            age_hours=past.situation.age_hours + waited,
        )
