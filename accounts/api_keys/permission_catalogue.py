"""What stands behind each permission: its methods, and whether they are served. The bots' API fills this in."""

from dataclasses import dataclass
from typing import Final

from accounts.models.service_user import Permission


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the protocol."""

    name: str
    is_served: bool


SERVED: set[Permission] = set()
UNLOCKS: dict[Permission, tuple[Method, ...]] = {}
# The names of methods that are served without any permission of the ten.
OTHERS: set[str] = set()
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
