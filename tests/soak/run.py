"""One run from its cast to its result: sockets, traffic, damage, a quiet moment, and the check."""

import asyncio
import contextlib
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from portal.venues.journal import reading
from portal.venues.paper import reconciliation
from tests.postgresql_server import PostgresqlServer
from tests.soak import cast, nodes
from tests.soak.bots import Socket, all_subscribed
from tests.soak.checking import figures, truth, verification
from tests.soak.checking.figures import Memory
from tests.soak.checking.sessions import Session
from tests.soak.checking.truth import Truth
from tests.soak.damage import PLAN, Damage
from tests.soak.nodes import Nodes
from tests.soak.player import Player
from tests.soak.rest import Rest
from tests.soak.traffic import Traffic, in_database

SOCKETS_OF_ACCOUNT: Final = 10
# Sockets opened at once: each asks for a token.
OPENED_AT_ONCE: Final = 0.02
SETTLED_SECONDS: Final = 3.0
# For so long nothing has happened to anybody: then every open socket has been told of everything.
QUIET_SECONDS: Final = 5.0
QUIET_WITHIN: Final = 120.0
SHOWN: Final = 20
# In so long a time everything is broken once.
ROUND_SECONDS: Final = 200
# What no node may ever say.
TRACEBACK: Final = re.compile(r"^Traceback \(most recent call last\)[\s\S]+?(?=^\S.*\n)", re.MULTILINE)


@dataclass
class Result:
    """What is printed, and what is wrong."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def say(self, line: object) -> None:
        """One line more."""
        self.lines.append(str(line))


async def soak(
    sockets: int, seconds: float, database: PostgresqlServer, environment: Mapping[str, str], data: Path
) -> Result:
    """Everything, with so many sockets, for so many seconds."""
    result = Result()
    began = time.monotonic()

    def progress(words: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {words}\n")

    players = await in_database(cast.build, max(4, sockets // SOCKETS_OF_ACCOUNT))
    progress(f"{len(players)} Accounts are there")
    with nodes.running(environment, data) as running:
        progress("all processes answer")
        rest = Rest(running.rest.port)
        own = [
            Socket(number, players[number % len(players)], running.streams, rest, with_markets=number % 5 == 0)
            for number in range(sockets)
        ]
        empty = await _without_sockets(running, rest, players[0])
        async with asyncio.TaskGroup() as tasks:
            open_sockets = [await _opened(tasks, socket) for socket in own]
            await all_subscribed(own, within=60 + sockets / 5)
            await asyncio.sleep(SETTLED_SECONDS)
            full = sum(node.resident() for node in running.streams)
            result.say(Memory(empty, full, sockets, len(running.streams)))
            progress(f"{sockets} sockets are subscribed")
            damage, traffic = Damage(running, database, own, progress), Traffic(rest, players, own)
            working = tasks.create_task(traffic.run())
            await damage.run(seconds, rounds=max(1, int(seconds / ROUND_SECONDS)))
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            await traffic.end()
            await all_subscribed(own, within=60)
            await _quiet(players)
            progress("it is quiet")
            for task in open_sockets:
                task.cancel()
        logs = {node.name: node.log.read_text(errors="replace") for node in running.all}
    progress("all processes have ended")
    await in_database(_check, result, players, own, damage, traffic, logs)
    return result


async def _opened(tasks: asyncio.TaskGroup, socket: Socket) -> asyncio.Task[None]:
    await asyncio.sleep(OPENED_AT_ONCE)
    return tasks.create_task(socket.run())


async def _without_sockets(running: Nodes, rest: Rest, player: Player) -> int:
    """Once each process has served one socket: what it loads for the first one is no socket's."""
    first = [Socket(-1 - number, player, [node], rest, True) for number, node in enumerate(running.streams)]
    tasks = [asyncio.create_task(socket.run()) for socket in first]
    await all_subscribed(first, within=60)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await asyncio.sleep(SETTLED_SECONDS)
    return sum(node.resident() for node in running.streams)


async def _quiet(players: list[Player]) -> None:
    """Wait until nothing has happened for a while."""
    ids = [player.account_id for player in players]
    still, before = 0.0, dict.fromkeys(ids, -1)
    for _ in range(int(QUIET_WITHIN)):
        now = await in_database(reading.places, ids)
        still, before = (still + 1 if now == before else 0.0), now
        if still >= QUIET_SECONDS:
            return
        await asyncio.sleep(1)
    raise AssertionError("it does not become quiet")


def _check(
    result: Result,
    players: list[Player],
    sockets: list[Socket],
    damage: Damage,
    traffic: Traffic,
    logs: Mapping[str, str],
) -> None:
    truths = {player.account_id: truth.read(player.account_id) for player in players}
    sessions = [session for socket in sockets for session in socket.sessions]
    found = figures.delays(sessions, truths, [(each.began, each.ended) for each in damage.breaks])
    rows = len(found.calm) + len(found.shaken)
    result.say(found)
    result.say(f"{len(sockets)} sockets, {len(players)} Accounts, {len(damage.nodes.streams)} stream processes")
    result.say(
        f"{rows} rows delivered in {len(sessions)} sessions, {sum(len(each.frames) for each in sessions)} frames"
    )
    result.say(f"{sum(socket.books_checked for socket in sockets)} books checked")
    result.say(f"broken: {dict(Counter(each.what for each in damage.breaks))}")
    back = [f"{each.back_after:.1f}" for each in damage.breaks if each.back_after and "stream" in each.what]
    result.say(f"all sockets are back after a stream process was killed, in seconds: {', '.join(back)}")
    result.say(f"ended: {dict(Counter(session.ending for session in sessions))}")
    result.say(f"done: {dict(traffic.done)}")
    result.say(f"REST: {dict(traffic.rest.answers)}")
    result.wrong += _wrong(sessions, truths)
    result.wrong += [f"{name} said:\n{each[:3000]}" for name, log in logs.items() for each in TRACEBACK.findall(log)]
    result.wrong += reconciliation.differences()
    result.wrong += _idle(sessions, sockets, damage, traffic, rows)
    for line in result.wrong[:SHOWN]:
        result.say(f"WRONG {line}")
    result.say(f"{len(result.wrong)} faults" if result.wrong else "Nothing lost, nothing doubled, nothing of others.")


def _wrong(sessions: list[Session], truths: Mapping[int, Truth]) -> Iterator[str]:
    owners = {
        row.key: account_id for account_id, each in truths.items() for channel in each.channels for row in channel.rows
    }
    for each in truths.values():
        yield from each.wrong
    for session in sessions:
        yield from (f"{session}: {words}" for words in session.wrong)
        for channel in truths[session.account_id].channels:
            yield from map(str, verification.faults(session, channel, owners))


def _idle(sessions: list[Session], sockets: list[Socket], damage: Damage, traffic: Traffic, rows: int) -> Iterator[str]:
    """A run in which nothing happened shows nothing."""
    for what in PLAN:
        if what not in {each.what for each in damage.breaks}:
            yield f"{what} was never broken"
    for what in ("near", "market", "far", "cancel", "deposit", "withdraw", "approved"):
        if not traffic.done[what]:
            yield f"nothing was done of: {what}"
    if len(sessions) < 2 * len(sockets):
        yield f"only {len(sessions)} sessions of {len(sockets)} sockets: who reconnects?"
    if rows < 10 * len(sockets):
        yield f"only {rows} rows were delivered"
    if not any(socket.books_checked for socket in sockets):
        yield "no book was checked"
    if not any(each.ended_at == float("inf") for each in sessions):
        yield "no session lasted to the end"
