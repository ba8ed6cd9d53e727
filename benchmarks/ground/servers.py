"""The portal and its peers, each served by granian in as many processes and threads, on one database."""

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet

from tests import ports
from tests.serving import serving, surroundings, workers_of
from tests.soak.nodes import Node, wait_for

WORKERS, THREADS = 2, 4
# Letters under which results name them, and the module of each peer.
PEERS: Final = {"b": "select", "c": "update", "d": "rest", "g": "team", "hw": "in_front"}
# The portal behind its own door, as the guide for operators has it; and by a WSGI server alone, as the peers are.
PORTAL, BY_WSGI = "portal", "portal, by WSGI"
# The same with a setting that no installation needs, but that makes the portal commit as the peers do.
DURABLE: Final = "portal, by WSGI, each call on the disk"


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and the processes that answer there."""

    port: int
    processes: tuple[int, ...]


def peer_environment(database_url: str, peer: str, keys: Mapping[str, str]) -> dict[str, str]:
    """The variables that a peer starts with; `keys` are `peer_keys`."""
    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings", "DATABASE_URL": database_url}
    return surroundings() | settings | {"BENCHMARK_PEER": PEERS[peer], **keys}


def peer_keys() -> dict[str, str]:
    """What the peers sign and seal with."""
    return {
        "BENCHMARK_SECRET": secrets.token_urlsafe(64),
        "BENCHMARK_SEALING_KEY": Fernet.generate_key().decode(),
    }


@contextmanager
def running(
    production: Mapping[str, str], database_url: str, keys: Mapping[str, str], folder: Path
) -> Iterator[dict[str, Server]]:
    """All of them, started and answering, by their names; ended afterwards."""
    nodes = [
        _node(PORTAL, {**production, "PORTAL_THREADS": str(THREADS)}, folder, "portal.asgi:application"),
        _node(BY_WSGI, production, folder, "portal.wsgi:application", *_by_wsgi()),
        _node(DURABLE, {**production, "PORTAL_API_LAZY_READS": "0"}, folder, "portal.wsgi:application", *_by_wsgi()),
        *(
            _node(
                peer,
                peer_environment(database_url, peer, keys),
                folder,
                "benchmarks.peers.wsgi:application",
                *_by_wsgi(),
            )
            for peer in PEERS
        ),
    ]
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            wait_for(node)
        yield {node.name: Server(node.port, _processes(node)) for node in nodes}
    except BaseException:
        for node in nodes:
            said = node.log.read_text(errors="replace")[-2000:] if node.log.exists() else ""
            sys.stderr.write(f"{node.name} said:\n{said}\n" if said else "")
        raise
    finally:
        for node in nodes:
            node.ask_to_end()
        for node in nodes:
            node.stop()


def _by_wsgi() -> tuple[str, ...]:
    return ("--interface", "wsgi", "--blocking-threads", str(THREADS))


def _node(name: str, environment: Mapping[str, str], folder: Path, application: str, *options: str) -> Node:
    port = ports.lasting()
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS), "--log-level", "warning"]
    command = ["-m", "granian", *serving(), "--no-ws", *options, *where, application]
    return Node(name, command, environment, folder / f"{port}.log", port)


def _processes(node: Node) -> tuple[int, ...]:
    try:
        return tuple(sorted(workers_of(node.pid)))
    except OSError:  # a system that does not say
        return ()
