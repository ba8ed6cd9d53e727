"""What stands behind each permission: its methods, and whether they are served. The bots' API says so when asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from accounts.models.service_user import Permission


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the protocol."""

    name: str
    is_served: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What each permission unlocks, which of them are served, and what is served without any of the ten, by name."""

    unlocks: Mapping[Permission, tuple[Method, ...]]
    served: set[Permission]
    others: frozenset[str]


_tells: list[Callable[[], Catalogue]] = []


def told_by(tells: Callable[[], Catalogue]) -> None:
    """Have it asked there, once, when the first page wants to know: that takes every method there is."""
    _tells[:] = [tells]


@cache
def catalogue() -> Catalogue:
    """All of it."""
    (tells,) = _tells
    return tells()


WEBSOCKET_METHOD: Final = "GetWebSocketsToken"

LINES: Final[dict[Permission, str]] = {
    Permission.QUERY_FUNDS: "Read balances, fees and what Earn holds.",
    Permission.EARN: "Put funds into Earn and take them out.",
    Permission.DEPOSIT: "Read and make deposit addresses.",
    Permission.WITHDRAW: "Send money to approved addresses, as the policy says.",
    Permission.QUERY_OPEN: "Read open orders and positions.",
    Permission.QUERY_CLOSED: "Read closed orders and trades.",
    Permission.MODIFY: "Place and amend orders.",
    Permission.CLOSE: "Cancel orders.",
    Permission.QUERY_LEDGER: "Read every movement of the Account.",
    Permission.EXPORT: "Make and fetch reports.",
}
