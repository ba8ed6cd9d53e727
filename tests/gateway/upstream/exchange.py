"""The exchange as a test holds it: its address, its customers, and what one may do there past the portal."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Lock
from time import time_ns
from typing import Any
from urllib.parse import urlencode

from tests.api.calls import FORM, Envelope, sign
from tests.gateway.upstream.customers import ADDRESSES, KINDS, Destination
from tests.running import ROOT, running

# No secret of anybody, and as long as one.
WRONG_SECRET = b64encode(bytes(64)).decode()


class Refused(Exception):
    """The exchange's own rules forbid what was to be done there by hand."""


@dataclass
class Operator:
    """Somebody at the exchange itself: a process that does what it is told, one act after the other."""

    process: "subprocess.Popen[str]"
    _lock: Lock = field(default_factory=Lock)

    def act(self, act: str, **taken: object) -> Any:
        """The answer to one act of `tests.gateway.upstream.program`.

        Raises: Refused.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self._lock:
            print(json.dumps({"act": act, **taken}), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        assert line, f"the operator fell over {act}"
        said = json.loads(line)
        if "refused" in said:
            raise Refused(said["refused"])
        return said["answer"]


@dataclass
class Customer:
    """An organization at the exchange. No other test knows of it: its lists hold what this one did.

    `keys` are the two halves of its credentials by the names in `customers.KINDS`, `addresses` its book by name.
    """

    name: str
    url: str
    operator: Operator
    keys: "Keys" = field(init=False)
    addresses: dict[str, Destination] = field(default_factory=lambda: {each.key: each for each in ADDRESSES})
    _later: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Its credentials are made as they are asked for."""
        self.keys = Keys(self)

    def ask(self, credential: str, method: str, /, *, nonce: int | None = None, **fields: Any) -> Envelope:
        """The exchange's answer to a call with that credential, straight and past every proxy.

        Without a `nonce` it is the moment in nanoseconds, as the gateway's are.
        """
        nonce = nonce or time_ns() + next(self._later)
        return call(self.url, self.keys[credential], method, nonce=nonce, **fields)

    def result(self, credential: str, method: str, /, **fields: Any) -> Any:
        """The same; it must have worked."""
        answer = self.ask(credential, method, **fields)
        assert answer["error"] == [], answer
        return answer["result"]

    def withdrawals(self) -> list[dict[str, Any]]:
        """Every withdrawal that the exchange knows of this customer, newest first. Costs no credential of a gateway."""
        return list(self.result("everything", "WithdrawStatus"))

    def another(self, kind: str, called: str) -> tuple[str, str]:
        """One more credential of that kind, under a name of its own."""
        public, secret = self.operator.act("credential", name=self.name, kind=kind, called=called)
        self.keys[called] = (public, secret)
        return public, secret

    def change(self, credential: str, **fields: object) -> None:
        """Other `permissions`, another `ip_allow_list` or `nonce_window`, or an end in so many `days`."""
        self.operator.act("change", name=self.name, called=credential, fields=fields)

    def revoke(self, credential: str) -> None:
        """The exchange knows this credential no more."""
        self.operator.act("revoke", name=self.name, called=credential)

    def add(self, destination: Destination) -> None:
        """As a person does at the exchange, for no call can."""
        taken = {each: getattr(destination, each) for each in ("key", "asset", "method", "address", "memo")}
        self.operator.act("add", name=self.name, **taken)
        self.addresses[destination.key] = destination

    def remove(self, key: str) -> None:
        """Out of the exchange's book."""
        self.operator.act("remove", name=self.name, key=key)
        del self.addresses[key]

    def re_point(self, key: str, address: str) -> None:
        """The same name for another address: what a withdrawal by name alone would follow."""
        self.operator.act("re_point", name=self.name, key=key, address=address)
        self.addresses[key] = replace(self.addresses[key], address=address)

    def pay_in(self, asset: str, amount: str, *, account: str = "Main") -> None:
        """Money that is there at once."""
        self.operator.act("pay_in", name=self.name, account=account, asset=asset, amount=amount)

    def hold(self, is_held: bool = True) -> None:
        """From now on the exchange puts withdrawals on hold for reasons of its own, or no more."""
        self.operator.act("hold", name=self.name, is_held=is_held)


class Keys(dict[str, tuple[str, str]]):
    """Both halves of a customer's credentials by their names."""

    def __init__(self, customer: Customer) -> None:
        super().__init__()
        self.customer = customer

    def __missing__(self, kind: str) -> tuple[str, str]:
        if kind not in KINDS:
            raise KeyError(kind)
        return self.customer.another(kind, kind)


@dataclass
class Upstream:
    """The exchange that runs, and everybody's customers."""

    url: str
    port: int
    operator: Operator
    environment: dict[str, str]
    pid: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def customer(self, name: str = "") -> Customer:
        """A new customer, with everything that `tests.gateway.upstream.customers` lists."""
        name = name or f"customer-{next(self._numbers)}"
        self.operator.act("found", name=name)
        return Customer(name, self.url, self.operator)


def call(url: str, key: tuple[str, str], method: str, /, *, nonce: int, **fields: object) -> Envelope:
    """One signed call of a bot, over a connection of its own; its envelope."""
    public, secret = key
    path, body = f"/0/private/{method}", urlencode({"nonce": nonce, **fields}).encode()
    headers = {"API-Key": public, "API-Sign": sign(secret, path, str(nonce), body), "Content-Type": FORM}
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=30)) as connection:
        connection.request("POST", path, body, headers)
        answer: Envelope = json.loads(connection.getresponse().read())
        return answer


@contextmanager
def exchange(data: Path, settings: dict[str, str] | None = None) -> Iterator[Upstream]:
    """The exchange, with its data in that folder, as long as the tests need it."""
    with running(data, settings=settings) as portal:
        environment = portal.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.upstream.program"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process:
            yield Upstream(portal.url, portal.port, Operator(process), portal.environment, portal.pid)
