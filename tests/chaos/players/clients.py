"""Released clients as bots use them: four things that each of them can do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import ccxt
import krakenex
import requests

from tests.chaos.players.cast import BASE_URL
from tests.chaos.players.record import Refused, Unanswered
from tests.soak.player import Player

# A caller waits so long, in seconds, and then does not know.
PATIENCE: Final = 20
PAIR: Final = "XBTUSD"
KEY_NAME: Final = "btc-cold"
SAID: Final = re.compile(r"E[A-Z][A-Za-z]+:[A-Za-z][^\"'\]]*")
# Said where the portal cannot tell itself whether it was done.
LEAVE_OPEN: Final = ("EService:", "EGeneral:Internal error")


@dataclass(frozen=True, slots=True)
class Order:
    """One to be placed: `mark` tells it from all others of its bot. Without a price it is filled at once."""

    mark: int
    side: str
    volume: str
    price: str | None


class Client(Protocol):
    """What a bot does. Raises: Refused; Unanswered."""

    marked_by: str

    def place(self, order: Order) -> str:
        """The order's id."""

    def cancel(self, txid: str) -> None:
        """Take an order back."""

    def withdraw(self, amount: str) -> str:
        """The withdrawal's id."""

    def balance(self) -> None:
        """What there is."""


class Krakenex:
    """krakenex, told nothing but the address."""

    marked_by = "cl_ord_id"

    def __init__(self, player: Player) -> None:
        self._api = krakenex.API(player.public, player.secret)
        self._api.uri = BASE_URL

    def place(self, order: Order) -> str:
        fields = {"pair": PAIR, "type": order.side, "volume": order.volume, "cl_ord_id": f"m{order.mark}"}
        kind = {"ordertype": "market"} if order.price is None else {"ordertype": "limit", "price": order.price}
        return str(self._ask("AddOrder", {**fields, **kind})["txid"][0])

    def cancel(self, txid: str) -> None:
        self._ask("CancelOrder", {"txid": txid})

    def withdraw(self, amount: str) -> str:
        return str(self._ask("Withdraw", {"asset": "XBT", "key": KEY_NAME, "amount": amount})["refid"])

    def balance(self) -> None:
        self._ask("Balance", {})

    def _ask(self, method: str, fields: dict[str, Any]) -> Any:
        try:
            answer = self._api.query_private(method, fields, timeout=PATIENCE)
        except (requests.RequestException, ValueError) as error:
            raise Unanswered(named(error)) from error
        if answer["error"]:
            raise _refusal(", ".join(answer["error"]))
        return answer["result"]


class Ccxt:
    """ccxt, told nothing but the address."""

    marked_by = "userref"

    def __init__(self, player: Player) -> None:
        self._api = ccxt.kraken({"apiKey": player.public, "secret": player.secret, "enableRateLimit": False})
        self._api.urls["api"]["public"] = self._api.urls["api"]["private"] = BASE_URL
        self._api.timeout = 1000 * PATIENCE
        # Whom this machine trusts is in the environment.
        self._api.session.trust_env = True
        self._api.load_markets()

    def place(self, order: Order) -> str:
        kind, price = ("market", None) if order.price is None else ("limit", float(order.price))
        place: Callable[..., Any] = self._api.create_order
        found = self._ask(place, "BTC/USD", kind, order.side, float(order.volume), price, {"userref": order.mark})
        return str(found["id"])

    def cancel(self, txid: str) -> None:
        self._ask(self._api.cancel_order, txid, "BTC/USD")

    def withdraw(self, amount: str) -> str:
        return str(self._ask(self._api.withdraw, "BTC", float(amount), "", None, {"key": KEY_NAME})["id"])

    def balance(self) -> None:
        self._ask(self._api.fetch_balance)

    def _ask(self, call: Callable[..., Any], *words: Any) -> Any:
        try:
            return call(*words)
        except ccxt.BaseError as error:
            if said := SAID.search(str(error)):
                raise _refusal(said[0]) from error
            raise Unanswered(named(error)) from error


def _refusal(words: str) -> Exception:
    return Unanswered(words) if words.startswith(LEAVE_OPEN) else Refused(words)


def named(error: Exception) -> str:
    """The kind of what stood in the way, without what is particular to one time."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is None and (found := re.search(r"\b(5\d\d) ", str(error))):
        status = found[1]
    return f"HTTP {status}" if status else type(error).__name__
