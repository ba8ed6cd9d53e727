"""What a run has measured, as it is printed."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.soak.checking.sessions import Session, updates
from tests.soak.checking.truth import Truth


@dataclass
class Memory:
    """What the stream processes hold together, in bytes: without a socket, and with all of them subscribed and idle."""

    empty: int
    full: int
    sockets: int
    processes: int

    def __str__(self) -> str:
        each = (self.full - self.empty) / self.sockets / 1024
        return (
            f"memory of {self.processes} stream processes: {self.empty / 2**20:.0f} MB without sockets, "
            f"{self.full / 2**20:.0f} MB with {self.sockets} subscribed: {each:.0f} kB a socket"
        )


@dataclass
class Delays:
    """From when an event was written, just before its commit, to when the bot had it; in seconds."""

    calm: list[float] = field(default_factory=list)
    shaken: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            f"delay from journal_entry.written_at to the bot, {name}: {_told(found)}"
            for name, found in (("all sockets there", self.calm), ("from a break until all are back", self.shaken))
        )


def delays(sessions: Iterable[Session], truths: dict[int, Truth], broken: Sequence[tuple[float, float]]) -> Delays:
    """Of every row that came as an update. `broken` says from when until when not everybody was there."""
    found = Delays()
    for session in sessions:
        for channel in truths[session.account_id].channels:
            written = {row.key: row.written_at for row in channel.rows}
            for message, row in updates(session.told[channel.name]):
                at = written.get(channel.key(row))
                if at is not None:
                    is_shaken = any(began <= message.at <= back for began, back in broken)
                    (found.shaken if is_shaken else found.calm).append(message.at - at)
    return found


def _told(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return f"{len(seconds)} rows"
    hundredths = statistics.quantiles(seconds, n=100)
    middle, late, worst = (1000 * each for each in (statistics.median(seconds), hundredths[98], max(seconds)))
    return f"median {middle:.0f} ms, p99 {late:.0f} ms, longest {worst:.0f} ms ({len(seconds)} rows)"
