"""Backups while bots trade and withdraw: each is of one moment, and restores to what adds up."""

import json
import threading
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from itertools import count
from urllib.parse import urlencode

import pytest

from portal.operating.backups import manifest
from tests.api.calls import FORM, sign
from tests.running import free_port, served

pytestmark = [pytest.mark.slow, pytest.mark.long]
BACKUPS = 2
# Each bot has called so often between two backups, so that there is something in between.
CALLS = 10


class Busy:
    """A bot that places orders and asks for withdrawals, one after the other, until it is told to stop."""

    def __init__(self, port: int, keys: tuple[str, str]) -> None:
        self.port, (self.public, self.secret) = port, keys
        self.answered = 0
        self.errors: set[str] = set()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            for number in count():
                if self._ends.is_set():
                    return
                if number % 2:
                    said = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
                    method = "AddOrder"
                else:
                    said, method = {"asset": "XBT", "key": "btc-cold", "amount": "0.0005"}, "Withdraw"
                self.errors |= set(self._call(connection, method, said))
                self.answered += 1

    def _call(self, connection: HTTPConnection, method: str, said: dict[str, str]) -> list[str]:
        nonce, path = str(time.time_ns()), f"/0/private/{method}"
        body = urlencode({"nonce": nonce, **said}).encode()
        signed = sign(self.secret, path, nonce, body)
        connection.request("POST", path, body, {"API-Key": self.public, "API-Sign": signed, "Content-Type": FORM})
        errors: list[str] = json.loads(connection.getresponse().read())["error"]
        return errors

    def has_answered(self, more: int) -> None:
        """Come back once it was answered so much more often."""
        until = self.answered + more
        for _ in range(1200):
            if self.answered >= until:
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.answered} of {until}")

    def __enter__(self) -> "Busy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(60)


@contextmanager
def answering(portal):
    port = free_port()
    environment = {**portal.environment, "PORTAL_API_LIMITS": "0", "PORTAL_BASE_URL": f"http://localhost:{port}"}
    with served(port, environment):
        yield port


def test_each_is_of_one_moment_and_adds_up(portal, tmp_path):
    made = []
    with (
        answering(portal) as port,
        Busy(port, portal.bots["treasury-bot"]) as bot,
        Busy(port, portal.bots["trading-bot"]) as other,
    ):
        for _ in range(BACKUPS):
            bot.has_answered(CALLS)
            made.append(portal.backup("--to", str(tmp_path)))
        bot.has_answered(CALLS)
    # Fifty requests of one key may wait; the other one may not withdraw.
    assert bot.errors <= {"EGeneral:Too many requests"}
    assert other.errors <= {"EGeneral:Permission denied"}
    reached = [sum(int(line.split()[1]) for line in manifest.read(each).facts.chains) for each in made]
    assert reached == sorted(reached)
    assert reached[0] < reached[-1]
    for each in made:
        assert "The drill passed" in portal.done("restore", "--check", str(each))
