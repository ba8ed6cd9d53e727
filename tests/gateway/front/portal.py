"""The portal in front of the exchange: a process of its own, whose Accounts are customers' there."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.gateway.upstream.customers import Destination
from tests.gateway.upstream.exchange import Customer
from tests.running import ROOT, Portal, running

EXCHANGE = "Upstream"


@dataclass(frozen=True)
class Organization:
    """One that is to be made: its customer there, its book, its bots and what they may, approvals of a withdrawal."""

    name: str
    customer: Customer
    addresses: Sequence[Destination]
    bots: Mapping[str, Sequence[str]]
    approvals: int = 0

    def in_words(self) -> dict[str, object]:
        """As `tests.gateway.front.founding` reads it."""
        return {
            "organization": self.name,
            "exchange": EXCHANGE,
            "credentials": {kind: self.customer.keys[kind] for kind in ("withdraw", "rest")},
            "addresses": [asdict(each) for each in self.addresses],
            "bots": dict(self.bots),
            "approvals": self.approvals,
        }


@contextmanager
def in_front_of(
    url: str, data: Path, organizations: Sequence[Organization], settings: Mapping[str, str] | None = None
) -> Iterator[Portal]:
    """A portal that speaks to the exchange at `url`, and what works beside it; the keys of all bots by their names.

    `elsewhere` is the last bot of all.
    """
    known = {"PORTAL_EXCHANGES": f"{EXCHANGE}={url}", "PORTAL_PUBLIC_EXCHANGE": EXCHANGE, **(settings or {})}
    with running(data, settings=known) as portal:
        keys = _founded(portal.environment, organizations)
        with _working(portal.environment):
            elsewhere = list(keys.values())[-1]
            yield Portal(portal.url, portal.port, portal.environment, portal.pid, keys, elsewhere, is_gateway=True)


def _founded(environment: Mapping[str, str], organizations: Sequence[Organization]) -> dict[str, tuple[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gateway.front.founding"],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        input=json.dumps([each.in_words() for each in organizations]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: (public, secret) for name, (public, secret) in json.loads(done.stdout).items()}


@contextmanager
def _working(environment: Mapping[str, str]) -> Iterator[None]:
    """What sends withdrawals and looks after them."""
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=dict(environment), stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)
