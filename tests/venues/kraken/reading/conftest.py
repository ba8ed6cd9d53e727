"""An exchange that answers each method with what a test gives it, and an Account that has read its catalogue."""

import json
from http.server import BaseHTTPRequestHandler

import pytest

from accounts.models import Account
from portal.core.database.one_reading import one_reading
from portal.venues.kraken.reading import catalogue
from tests.venues.kraken.conftest import Exchange, answering

ASSETS = {
    "XXBT": {"altname": "XBT", "decimals": 10, "display_decimals": 5},
    "XXDG": {"altname": "XDG", "decimals": 8, "display_decimals": 2},
    "XETH": {"altname": "ETH", "decimals": 10, "display_decimals": 5},
    "ZUSD": {"altname": "USD", "decimals": 4, "display_decimals": 2},
    "ZEUR": {"altname": "EUR", "decimals": 4, "display_decimals": 2},
    "XBT.F": {"altname": "XBT.F", "decimals": 10, "display_decimals": 5},
    "FINE": {"altname": "FINE", "decimals": 18, "display_decimals": 5},
}
PAIRS = {
    "XXBTZUSD": {
        "altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "pair_decimals": 1,
        "lot_decimals": 8, "cost_decimals": 5, "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1",
        "fees": [[0, 0.26], [50000, 0.24]], "fees_maker": [[0, 0.16]], "status": "online",
    },
}  # fmt: skip


class Says:
    """What the exchange answers: `say(Balance={...})` for a result, `refuse(Balance="EAPI:...")` for an error."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.bodies: dict[str, bytes] = {}
        exchange.says = self
        self.say(Assets=ASSETS, AssetPairs=PAIRS)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        method = handler.path.partition("?")[0].split("/", 3)[3]
        answering(self.bodies.get(method, b'{"error":["EGeneral:Unknown method"]}'))(handler)

    def say(self, **results: object) -> None:
        """Two underscores stand for the slash of `Earn/Allocations`."""
        for method, result in results.items():
            self.body(method.replace("__", "/"), json.dumps({"error": [], "result": result}).encode())

    def refuse(self, **errors: str) -> None:
        for method, error in errors.items():
            self.body(method.replace("__", "/"), json.dumps({"error": [error]}).encode())

    def body(self, method: str, content: bytes) -> None:
        self.bodies[method] = content

    def asked(self, method: str) -> list[dict[str, str]]:
        """The fields of each call of that method, without nonces."""
        calls = [(path.partition("?")[0].split("/", 3)[3], fields) for path, fields in self.exchange.asked]
        return [
            {name: value for name, value in fields.items() if name != "nonce"} for at, fields in calls if at == method
        ]


@pytest.fixture
def says(exchange: Exchange) -> Says:
    return Says(exchange)


@pytest.fixture
def account(says: Says, connected: Account) -> Account:
    """Connected to that exchange, whose catalogue has been read."""
    assert catalogue.refresh_all("Test")
    return connected


@pytest.fixture
def page():
    """Everything inside belongs to one page."""
    return one_reading
