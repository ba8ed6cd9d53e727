"""Asks a server for as much as it can do over so many connections, and times each answer."""

import gc
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmarks.load.wires import ANSWERED_WITHIN, BadAnswer, Wire

NANO: Final = 1e-9
# Looks at the body of an answer. Raises: BadAnswer.
Check: TypeAlias = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Slice:
    """What came of one stretch of time: how many calls, in how many seconds, and what each took, in seconds, sorted."""

    calls: int
    seconds: float
    took: tuple[float, ...]
    # Requests that had to be made while time was taken.
    late: int

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    def quantile(self, share: float) -> float:
        """The time within which that share of all calls was answered, in seconds."""
        return self.took[min(len(self.took) - 1, int(share * len(self.took)))]


def drive(wires: Sequence[Wire], checks: Sequence[Check], seconds: float, ready: int) -> Slice:
    """Keep one request under way in each of `wires` until the time is over; `ready` are made for each beforehand.

    `checks` has one for each wire. All answers are looked at once time is no longer taken. Raises: BadAnswer.
    """
    for wire in wires:
        wire.late = 0
        wire.prepare(ready)
    answers: list[tuple[int, bytes]] = []
    took: list[int] = []
    gc.collect()
    gc.disable()
    try:
        lasted = _exchange(wires, seconds, answers, took)
    finally:
        gc.enable()
    for place, body in answers:
        checks[place](body)
    return Slice(
        calls=len(answers),
        seconds=lasted * NANO,
        took=tuple(each * NANO for each in sorted(took)),
        late=sum(wire.late for wire in wires),
    )


def _exchange(wires: Sequence[Wire], seconds: float, answers: list[tuple[int, bytes]], took: list[int]) -> int:
    """Nanoseconds from the first request to the last answer."""
    poller = select.poll()
    places = {wire.socket.fileno(): place for place, wire in enumerate(wires)}
    for descriptor in places:
        poller.register(descriptor, select.POLLIN)
    began = now = time.perf_counter_ns()
    end = began + int(seconds / NANO)
    for wire in wires:
        wire.send()
    under_way = len(wires)
    while under_way:
        waiting = poller.poll(ANSWERED_WITHIN * 1000)
        if not waiting:
            raise BadAnswer(f"No answer within {ANSWERED_WITHIN:.0f} seconds.")
        for descriptor, _ in waiting:
            place = places[descriptor]
            wire = wires[place]
            body = wire.receive()
            if body is None:
                continue
            now = time.perf_counter_ns()
            took.append(now - wire.sent_at)
            answers.append((place, body))
            if now < end:
                wire.send()
            else:
                under_way -= 1
    return now - began
