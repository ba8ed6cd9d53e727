"""Saying *look* to whoever follows journals, in every process: a wake-up that is lost costs time, never an event."""

import asyncio
import logging
import math
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import Final, NoReturn

import psycopg
from django.db import Error, connection

from portal.core.database.prepared import fetch

logger = logging.getLogger(__name__)

CHANNEL: Final = "journal"
# In seconds.
EVERYWHERE_EVERY: Final = 1.0
FILE_EVERY: Final = 0.1
SHORTEST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0

# A commit that nobody misses if it is lost need not wait for the disk.
NOTIFY: Final = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%(channel)s, %(account)s)"

# Takes the Accounts that were woken, or None: look everywhere.
Look = Callable[[frozenset[int] | None], None]


def wake(account_id: int) -> None:
    """Have everybody look at the Account. Called after the commit, and never fails: that has happened already."""
    # On SQLite the commit itself is seen. A NOTIFY inside a transaction would queue up the commits of all Accounts.
    if connection.vendor == "postgresql":
        with suppress(Error):
            fetch(NOTIFY, {"channel": CHANNEL, "account": str(account_id)})


async def listen(look: Look) -> NoReturn:
    """Call `look` for the Accounts that were woken; with None each time a connection was made, and every second.

    It is called in the event loop and must not wait. A database that is away is tried again until it is back.
    """
    attend = _watch_file if connection.vendor == "sqlite" else _hear
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_every_second(look))
        await _again_and_again(attend, look)


async def _every_second(look: Look) -> NoReturn:
    while True:
        await asyncio.sleep(EVERYWHERE_EVERY)
        look(None)


async def _again_and_again(attend: Callable[[Look], Awaitable[NoReturn]], look: Look) -> NoReturn:
    loop, pause = asyncio.get_running_loop(), SHORTEST_PAUSE
    connected_at = math.inf

    def connected(woken: frozenset[int] | None) -> None:
        nonlocal connected_at
        connected_at = min(connected_at, loop.time())
        look(woken)

    while True:
        try:
            await attend(connected)
        except (psycopg.Error, sqlite3.Error, OSError) as error:
            # Once, not with each try while it is away.
            if pause == SHORTEST_PAUSE:
                logger.warning("No wake-ups from the database, trying again: %s", type(error).__name__)
        # One that broke at once, or was never made, is not tried again at once.
        pause = SHORTEST_PAUSE if loop.time() - connected_at > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
        connected_at = math.inf
        await asyncio.sleep(pause)


async def _hear(look: Look) -> NoReturn:
    """On PostgreSQL: LISTEN, on a connection of its own."""
    given = connection.get_connection_params()
    # These belong to Django's own, which is no asynchronous one.
    parameters = {name: value for name, value in given.items() if name not in {"context", "cursor_factory"}}
    try:
        connected = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    except asyncio.CancelledError as error:
        # What led here holds the connection, half made, until garbage is collected; and the server waits for it.
        raise error.with_traceback(None) from None
    async with connected as raw:
        await raw.execute(f"LISTEN {CHANNEL}")
        look(None)
        while True:
            woken = {notice.payload async for notice in raw.notifies(stop_after=1)}
            look(frozenset(int(payload) for payload in woken if payload.isdecimal()))


async def _watch_file(look: Look) -> NoReturn:
    """On SQLite: whether anybody else has committed, which tells of no Account. A look takes microseconds."""
    with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), uri=True)) as raw:
        seen = None
        while True:
            [version] = raw.execute("PRAGMA data_version").fetchone()
            if version != seen:
                look(None)
            seen = version
            await asyncio.sleep(FILE_EVERY)
