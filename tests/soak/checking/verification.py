"""Whether what a socket was told is what happened: all of it, once, in order, and nothing of anybody else's."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.soak.checking.sessions import Row, Session, Told, updates

# In seconds. What was written so long before a session's end has to have been told in it, whatever broke meanwhile;
# and a clock read a moment before a lock was waited for may be so far behind.
TOLD_WITHIN: Final = 20.0
SLACK: Final = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How late may be, in seconds: what was told, and a clock (see above)."""

    told_within: float = TOLD_WITHIN
    slack: float = SLACK


USUAL: Final = Limits()


@dataclass(frozen=True, slots=True)
class Expected:
    """One row that has to be told: what it is known by, when it was written, and the fields that are certain."""

    key: str
    written_at: float
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """What has to be told of one Account on one channel, in order, and how things stand at each place of it.

    `state` gives, for how many of the rows have happened, what a snapshot then says. A place is where an event begins:
    some are told in several rows.
    """

    name: str
    rows: Sequence[Expected]
    state: Callable[[int], object]
    key: Callable[[Row], str]
    read_snapshot: Callable[[Sequence[Row]], object]
    begins: Callable[[int], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where, and the frames around it."""

    session: Session
    channel: str
    words: str
    place: int

    def __str__(self) -> str:
        shown = self.session.around(self.place)
        return f"{self.session}, {self.channel}, ended: {self.session.ending}: {self.words}\n{shown}"


def faults(session: Session, channel: Channel, owners: Mapping[str, int], limits: Limits = USUAL) -> Iterator[Fault]:
    """All that is wrong with one channel of a session. `owners` says whose each key is, of any Account."""
    told = session.told[channel.name]
    if not told:
        return
    yield from _sequence(session, channel, told)
    whole = [message for message in told if message.kind == "snapshot"]
    if not whole or told[0].kind != "snapshot":
        yield Fault(session, channel.name, "it does not begin with a snapshot", told[0].place)
        return
    came = [(message, row) for message, row in updates(told)]
    begin = _begin(session, channel, whole, came, limits)
    if isinstance(begin, Fault):
        # Whose the rows are can be said all the same.
        yield begin
        yield from _foreign(session, channel, came, owners)
        return
    place = yield from _run(session, channel, came, begin, owners)
    yield from _end(session, channel, place, limits)


def _sequence(session: Session, channel: Channel, told: Sequence[Told]) -> Iterator[Fault]:
    for count, message in enumerate(told, 1):
        if message.sequence != count:
            words = f"the sequence is {message.sequence} where {count} follows"
            yield Fault(session, channel.name, words, message.place)
            return


def _begin(
    session: Session, channel: Channel, whole: Sequence[Told], came: Sequence[tuple[Told, Row]], limits: Limits
) -> int | Fault:
    """At which place of what happened the snapshot was taken."""
    said = channel.read_snapshot([row for message in whole for row in message.rows])
    last = whole[-1]
    possible = [place for place in _places(session, channel, last.at, limits) if channel.state(place) == said]
    if not possible:
        near = _places(session, channel, last.at, limits)
        shown = channel.state(near[-1]) if near else "nothing"
        return Fault(
            session, channel.name, f"the snapshot {said} is how it never stood; at the end: {shown}", last.place
        )
    if not came:
        # Nothing followed, so it may be any of them: the latest is the one that owes the least.
        return possible[-1]
    first = channel.key(came[0][1])
    for place in possible:
        if place < len(channel.rows) and channel.rows[place].key == first:
            return place
    # What came first is wrong, or the snapshot is: say it from where the snapshot may have been.
    return possible[-1]


def _places(session: Session, channel: Channel, came_at: float, limits: Limits) -> list[int]:
    """Where a snapshot can be that was asked for then and came at that moment."""
    rows = channel.rows
    return [
        place
        for place in range(len(rows) + 1)
        if channel.begins(place)
        and (place == 0 or rows[place - 1].written_at <= came_at + max(0.0, limits.slack - SLACK))
        and (place == len(rows) or rows[place].written_at >= session.began_at - limits.slack)
    ]


def _foreign(
    session: Session, channel: Channel, came: Sequence[tuple[Told, Row]], owners: Mapping[str, int]
) -> Iterator[Fault]:
    for message, row in came:
        key = channel.key(row)
        if owners.get(key) not in {None, session.account_id}:
            words = f"{key} is of Account {owners[key]}"
            yield Fault(session, channel.name, words, message.place)


def _run(
    session: Session, channel: Channel, came: Sequence[tuple[Told, Row]], begin: int, owners: Mapping[str, int]
) -> Generator[Fault, None, int]:
    """Each row against the one that follows; after a fault it goes on from what was told. Gives where it ended."""
    there = {row.key: place for place, row in enumerate(channel.rows)}
    place, seen = begin, set[str]()
    for message, row in came:
        key = channel.key(row)
        is_ours = key in there and owners.get(key, session.account_id) == session.account_id
        if key in seen:
            words = f"{key} is doubled"
        elif not is_ours:
            words = f"{key} is of Account {owners[key]}" if key in owners else f"{key} never happened"
        else:
            words = _out_of_line(channel, there[key], place, begin)
            place = max(place, there[key] + 1)
        if words:
            yield Fault(session, channel.name, words, message.place)
        if is_ours and (differing := _differing(row, channel.rows[there[key]].fields)):
            yield Fault(session, channel.name, f"{key} says otherwise: {differing}", message.place)
        seen.add(key)
    return place


def _out_of_line(channel: Channel, came: int, expected: int, begin: int) -> str:
    """What is wrong with a row that is ours, told where `expected` would follow; empty if it is the one."""
    if came == expected:
        return ""
    key = channel.rows[came].key
    if came < begin:
        return f"{key} was in the snapshot already"
    follows = channel.rows[expected].key if expected < len(channel.rows) else "nothing"
    if came < expected:
        return f"{key} comes where {follows} follows: it is out of order"
    return f"{key} comes where {follows} follows: lost or late: {[each.key for each in channel.rows[expected:came]]}"


def _end(session: Session, channel: Channel, place: int, limits: Limits) -> Iterator[Fault]:
    """What was written long before the end and never told."""
    owed = [row.key for row in channel.rows[place:] if row.written_at < session.ended_at - limits.told_within]
    if owed:
        where = session.told[channel.name][-1].place
        yield Fault(session, channel.name, f"lost, or not told until the end: {owed[:5]} ({len(owed)})", where)


def _differing(row: Row, fields: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} is {row.get(name)!r}, not {value!r}" for name, value in fields.items() if row.get(name) != value
    )
