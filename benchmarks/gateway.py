"""`python -m benchmarks.gateway`: a call through the gateway beside the same at the exchange. Ratios, as JSON lines.

Both are portals as `make run` serves them, each with a database of its own: PostgreSQL's where DATABASE_URL names one,
else SQLite's. Calls go over connections that are kept, of bot and gateway alike, on this machine alone.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from hashlib import sha256
from hmac import digest
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import psycopg

from benchmarks.ground.resources import seconds_between, seconds_by_thread
from benchmarks.ratio import ROUNDS, Ratio, Work
from tests.serving import workers_of

if TYPE_CHECKING:
    from tests.gateway.upstream.exchange import Upstream

REPEATS: Final = 40
FORM: Final = "application/x-www-form-urlencoded"
BOT: Final = "bot"
BASE: Final = "at the exchange"
# Nothing comes of it: each is the same as the first.
ORDER: Final = {
    "pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "1000", "validate": "true",
}  # fmt: skip
CALLS: Final[tuple[tuple[str, str, Mapping[str, str]], ...]] = (
    ("`Balance`", "Balance", {}),
    ("`OpenOrders`", "OpenOrders", {}),
    ("`AddOrder`, only looked at", "AddOrder", ORDER),
)


def main() -> None:
    """Start both, and measure."""
    # What the servers say goes the other way: here are figures alone.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    url = os.environ.pop("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as folder:
        os.environ |= {"PORTAL_DEBUG": "1", "PORTAL_VAR": folder, "DJANGO_SETTINGS_MODULE": "portal.settings"}
        import django  # noqa: PLC0415  (settings are read once the environment is as it should be)

        django.setup()
        from tests.gateway.upstream.exchange import exchange  # noqa: PLC0415

        with exchange(Path(folder) / "exchange", _beside(url, "exchange")) as upstream:
            for ratio in _ratios(upstream, Path(folder) / "portal", _beside(url, "gateway")):
                told.write(json.dumps(asdict(ratio)) + "\n")
                told.flush()


def calling(url: str, key: tuple[str, str], method: str, fields: Mapping[str, str]) -> "Caller":
    """What makes that call, over a connection that is kept."""
    return Caller(HTTPConnection(url.removeprefix("http://"), timeout=30), key, method, fields)


class Caller:
    """One call, made again and again. Fails where the answer is an error."""

    def __init__(
        self, connection: HTTPConnection, key: tuple[str, str], method: str, fields: Mapping[str, str]
    ) -> None:
        self.connection, self.path, self.fields = connection, f"/0/private/{method}", fields
        self.public, self.secret = key[0], b64decode(key[1])

    def __call__(self) -> None:
        """Sign, send, and read the whole answer."""
        nonce = str(time.time_ns())
        body = urlencode({"nonce": nonce, **self.fields}).encode()
        sign = digest(self.secret, self.path.encode() + sha256(nonce.encode() + body).digest(), "sha512")
        headers = {"API-Key": self.public, "API-Sign": b64encode(sign).decode(), "Content-Type": FORM}
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse().read()
        if not answer.replace(b" ", b"").startswith(b'{"error":[]'):
            raise ValueError(answer.decode(errors="replace")[:300])

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


def _ratios(upstream: "Upstream", data: Path, settings: Mapping[str, str]) -> Iterator[Ratio]:
    from tests.factories.world import EVERY_PERMISSION  # noqa: PLC0415
    from tests.gateway.front.portal import Organization, in_front_of  # noqa: PLC0415

    customer = upstream.customer()
    organization = Organization("Treasury", customer, (), {BOT: EVERY_PERMISSION})
    # Of the same sort as the one that the gateway calls with, and with its nonces to itself.
    own = customer.another("rest", "straight")
    with in_front_of(upstream.url, data, (organization,), settings) as portal:
        servers = (upstream.pid, portal.pid)
        for words, method, fields in CALLS:
            straight = calling(upstream.url, own, method, fields)
            through = calling(portal.url, portal.keys[BOT], method, fields)
            with closing(straight), closing(through):
                yield from _compared(words, through, straight, lambda: _worked(servers, settings))


def _compared(words: str, through: Work, straight: Work, worked: Callable[[], dict[int, float]]) -> Iterator[Ratio]:
    """How long it takes, and what servers and database work for it, in turns."""
    through(), straight()
    took, cost = [], []
    for turn in range(ROUNDS):
        found = {}
        for work in (through, straight) if turn % 2 else (straight, through):
            before, began = worked(), time.perf_counter()
            for _ in range(REPEATS):
                work()
            found[work] = time.perf_counter() - began, seconds_between(before, worked())
        took.append(found[through][0] / found[straight][0])
        if found[straight][1]:
            cost.append(found[through][1] / found[straight][1])
    for what, ratios in (("how long it takes", took), ("what is worked for it", cost)):
        if ratios:
            yield Ratio(f"{words}: {what}", BASE, statistics.median(ratios), min(ratios), max(ratios))


def _worked(servers: Iterable[int], settings: Mapping[str, str]) -> dict[int, float]:
    """How long each thread of both servers and of the database's processes for either has had a processor by now."""
    processes = {worker for server in servers for worker in workers_of(server)}
    if settings:
        with psycopg.connect(settings["DATABASE_URL"]) as connection:
            backends = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname LIKE %s AND pid <> pg_backend_pid()",
                [settings["DATABASE_URL"].rpartition("/")[2].rpartition("_")[0] + "\\_%"],
            )
            processes |= {int(pid) for (pid,) in backends}
    return seconds_by_thread(processes)


def _beside(url: str, name: str) -> dict[str, str]:
    """The variable that names a database of its own on the server of `url`, made here; none for SQLite."""
    if not url:
        return {}
    server, _, database = url.rpartition("/")
    made = f"{database}_{name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{made}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{made}"')
    return {"DATABASE_URL": f"{server}/{made}"}


if __name__ == "__main__":
    main()
