"""Ports for servers that go and come back: nobody else is given one of them meanwhile."""

import random
import socket
from pathlib import Path
from typing import Final

# Where the system says nothing else: RFC 6335 §6.
FIRST_BY_CHANCE: Final = 49152
LOWEST: Final = 15000
TRIES: Final = 200


def lasting() -> int:
    """A free port below those that the system gives to whoever connects somewhere.

    A server under one of those may not find it free when it comes back; a client that tries it meanwhile can even be
    given the very port that it connects to, and then talks to itself.
    """
    highest = _first_by_chance()
    for _ in range(TRIES):
        port = random.randrange(min(LOWEST, highest - 1), highest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def _first_by_chance() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return FIRST_BY_CHANCE
