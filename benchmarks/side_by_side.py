"""One run beside the peers, from an empty database to its readings. Import it once Django is set up."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from benchmarks.contest import exact, growth, programme
from benchmarks.contest.contestants import MANY, READERS, PeerKey
from benchmarks.found import Found, Options
from benchmarks.ground import crowd, resources, servers
from benchmarks.ground import world as cast
from benchmarks.ground.servers import Server
from benchmarks.ground.world import World
from benchmarks.load.signing import Key
from tests.postgresql_server import PostgresqlServer
from tests.serving import ROOT


def measure(
    server: PostgresqlServer,
    database_url: str,
    environment: Mapping[str, str],
    options: Options,
    data: Path,
    progress: Callable[[str], None],
) -> Found:
    """Everything beside the peers, on that server, in the portal's `environment`. Raises: BadAnswer."""
    load = os.getloadavg()[0]
    call_command("migrate", verbosity=0)
    progress("the database is there")
    world = cast.build(MANY, READERS)
    progress(f"{len(world.bots)} bots are there")
    keys = servers.peer_keys()
    theirs = _peers_found(database_url, keys, world, options.keys)
    crowd.gather(world.crowded, options.keys)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    progress(f"{options.keys} keys are there")
    found = Found(options, load=load, postgresql=_version())
    with servers.running(environment, database_url, keys, data) as running:
        progress("all servers answer")
        found.idle = _memory(running)
        found.readings = programme.run(
            running, world, theirs, options, lambda: resources.children_of(server.pid), progress
        )
        found.loaded = _memory(running)
        found.growth = growth.measure(running[servers.BY_WSGI], world.readers[1])
    found.counts = exact.count(database_url, environment, keys, world, theirs)
    progress("calls are counted")
    connection.close()
    return found


def _peers_found(database_url: str, keys: Mapping[str, str], world: World, number: int) -> Sequence[PeerKey]:
    """The peers' tables, made in a process of theirs, and what its bots call them by."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.founding"],
        cwd=ROOT,
        env=servers.peer_environment(database_url, "d", keys),
        input=json.dumps({"accounts": [bot.account_id for bot in world.bots], "keys": number}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [
        PeerKey(each["account"], each["id"], Key(each["public"], each["secret"], bot.key.source), each["other"])
        for each, bot in zip(json.loads(done.stdout), world.bots, strict=True)
    ]


def _version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).partition(" ")[0]


def _memory(running: Mapping[str, Server]) -> dict[str, list[tuple[int, int]]]:
    return {name: [resources.memory_of(each) for each in server.processes] for name, server in running.items()}
