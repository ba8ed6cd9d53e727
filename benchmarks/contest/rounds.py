"""All contests in turns, round after round, so that what disturbs the machine disturbs everybody alike."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.contest.contestants import Contest, Contestant
from benchmarks.contest.readings import Reading, Readings
from benchmarks.ground import resources
from benchmarks.load.generator import Check, drive
from benchmarks.load.signing import Requests
from benchmarks.load.wires import connect

# Requests made beforehand for each connection: more than it got through the last time.
READY_AT_FIRST, READY_FACTOR = 400, 1.5
# The first answers of all are not timed: connections to the database are made, keys found, statements prepared.
WARM_SECONDS: Final = 0.3


class Field:
    """The contestants, and how much each got through the last time."""

    def __init__(self, contests: Sequence[Contest], database: Callable[[], list[int]]) -> None:
        self.contests, self.database = contests, database
        self.ready: dict[tuple[str, str], int] = {}

    def run(self, rounds: int, seconds: Mapping[str, float], progress: Callable[[str], None]) -> Readings:
        """So many rounds; `seconds` says for each contest how long one stretch of it lasts. Raises: BadAnswer."""
        found: Readings = defaultdict(lambda: defaultdict(list))
        for contest in self.contests:
            for each in contest.contestants:
                self._reading(contest, each, WARM_SECONDS)
        for turn in range(rounds):
            progress(f"round {turn + 1} of {rounds}")
            for contest in self.contests:
                order = contest.contestants if turn % 2 else contest.contestants[::-1]
                for each in order:
                    reading = self._reading(contest, each, seconds[contest.title])
                    found[contest.title][each.name].append(reading)
        return found

    def _reading(self, contest: Contest, each: Contestant, seconds: float) -> Reading:
        place = (contest.title, each.name)
        # Made anew for each: a server hangs up where nothing comes for half a minute.
        wires = connect(each.server.port, [asked for asked, _ in each.lanes], each.server.processes)
        checks: list[Check] = [check() for _, check in each.lanes]
        server, database = self._worked(each)
        try:
            done = drive(wires, checks, seconds, self.ready.get(place, READY_AT_FIRST))
        finally:
            for wire in wires:
                wire.close()
        server_after, database_after = self._worked(each)
        self.ready[place] = 1 + int(READY_FACTOR * done.calls / len(each.lanes) / done.seconds * max(seconds, 1))
        ask_each(each.server.port, each.afterwards)
        between = resources.seconds_between
        return Reading(done, between(server, server_after), between(database, database_after))

    def _worked(self, each: Contestant) -> tuple[dict[int, float], dict[int, float]]:
        return resources.seconds_by_thread(each.server.processes), resources.seconds_by_thread(self.database())


def ask_each(port: int, requests: Sequence[Requests]) -> list[bytes]:
    """The answers to one request of each kind, one after the other, untimed. Raises: BadAnswer."""
    if not requests:
        return []
    (wire,) = connect(port, requests[:1])
    found = []
    try:
        for asked in requests:
            wire.requests = asked
            wire.prepare(1)
            wire.send()
            while (body := wire.receive()) is None:
                pass
            found.append(body)
    finally:
        wire.close()
    return found
