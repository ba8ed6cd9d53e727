"""What sockets were told, against what happened: as `make soak-stream` checks it, where clocks may be wrong."""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.chaos.players import sockets
from tests.soak.checking import truth, verification
from tests.soak.checking.verification import Channel, Expected, Limits

# A node that does not reach the database may keep a socket for as long as this, in seconds, and tell it nothing.
LIMITS: Final = Limits(told_within=120.0, slack=float("inf"))


def wrong(heard: Path) -> Iterator[str]:
    """Whatever a socket was told that did not happen, twice, out of order, or not at all."""
    sessions = sockets.read(heard)
    truths = {account_id: truth.read(account_id) for account_id in {session.account_id for session in sessions}}
    channels = {account_id: [by_right_clocks(each) for each in life.channels] for account_id, life in truths.items()}
    owners: Mapping[str, int] = {
        row.key: account_id for account_id, own in channels.items() for channel in own for row in channel.rows
    }
    for life in truths.values():
        yield from life.wrong
    for session in sessions:
        yield from (f"{session}: {words}" for words in session.wrong)
        for channel in channels[session.account_id]:
            yield from map(str, verification.faults(session, channel, owners, LIMITS))
    for account_id in truths:
        if not any(session.account_id == account_id and session.ending == "open" for session in sessions):
            yield f"no socket of Account {account_id} was open at the end"


def counted(heard: Path) -> dict[str, int]:
    """How many sessions there were, and how many messages they got."""
    sessions = sockets.read(heard)
    return {"sessions": len(sessions), "messages": sum(len(session.frames) for session in sessions)}


def by_right_clocks(channel: Channel) -> Channel:
    """The channel as if every row had been written by a right clock.

    Rows are in the order in which they happened. Those that break the order of time are from a clock that was wrong:
    they count as written just before the next one that was right.
    """
    right = set(_rising([row.written_at for row in channel.rows]))
    rows: list[Expected] = []
    later = float("inf")
    for place in range(len(channel.rows) - 1, -1, -1):
        row = channel.rows[place]
        later = row.written_at if place in right else later
        rows.append(replace(row, written_at=later))
    return replace(channel, rows=rows[::-1])


def _rising(moments: Sequence[float]) -> Iterator[int]:
    """The places of the longest row of moments that never goes back."""
    ends: list[float] = []
    places: list[int] = []
    before: list[int] = [-1] * len(moments)
    for place, moment in enumerate(moments):
        length = bisect.bisect_right(ends, moment)
        before[place] = places[length - 1] if length else -1
        ends[length:] = [moment, *ends[length + 1 :]]
        places[length:] = [place, *places[length + 1 :]]
    place = places[-1] if places else -1
    while place >= 0:
        yield place
        place = before[place]
