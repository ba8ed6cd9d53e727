"""Two servers of PostgreSQL, of which one follows the other, and the portal's database at both."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
import pytest
from django.db import connections
from django.db.utils import ConnectionHandler
from environ import Env

from portal import databases
from portal.core.database.at_hand import hand
from tests import postgresql_server
from tests.postgresql_server import PostgresqlServer

# What is at most waited for something that takes part of a second.
SECONDS: Final = 20.0


def settled(url: str) -> dict[str, Any]:
    return databases.settled(Env.db_url_config(url))


@contextmanager
def following() -> Iterator[tuple[PostgresqlServer, PostgresqlServer]]:
    """A primary and its standby."""
    if reason := postgresql_server.why_none():
        if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with ExitStack() as stack:
        # Not below the tests' own folder, which is for nobody else: its server runs as another user.
        folders = [Path(stack.enter_context(TemporaryDirectory(prefix="countersign-hosts-"))) for _ in range(2)]
        first = stack.enter_context(postgresql_server.running(folders[0]))
        second = stack.enter_context(postgresql_server.standby(folders[1], first))
        # A copy ends at the end of a file of the log, which looks like less than all until something is written.
        with psycopg.connect(first.url("postgres"), autocommit=True) as raw:
            raw.execute("CREATE TABLE kept (word text)")
            raw.execute("INSERT INTO kept VALUES ('before')")
        soon(lambda: second.is_even_with(first))
        yield first, second


def at(*servers: PostgresqlServer, user: str = "portal", more: str = "connect_timeout=2") -> Any:
    """The portal's database at these hosts."""
    where = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return ConnectionHandler({"default": settled(f"postgres://{user}@{where}/postgres?{more}")})["default"]


@contextmanager
def reached(*servers: PostgresqlServer, user: str = "portal", more: str = "connect_timeout=2") -> Iterator[None]:
    """In this thread, the portal's database at these hosts."""
    ours = at(*servers, user=user, more=more)
    before = connections["default"]
    connections["default"] = ours
    hand.__dict__.clear()
    try:
        yield
    finally:
        ours.close()
        connections["default"] = before
        hand.__dict__.clear()


def soon(holds: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
