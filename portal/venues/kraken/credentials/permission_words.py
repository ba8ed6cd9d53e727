"""What the exchange lets a credential do, in the words of its own pages."""

from collections.abc import Iterable
from typing import Final

from accounts.models.service_user import Permission

WORDS: Final = {
    Permission.QUERY_FUNDS.value: "Query Funds",
    Permission.EARN.value: "Earn",
    Permission.DEPOSIT.value: "Deposit",
    Permission.WITHDRAW.value: "Withdraw",
    Permission.QUERY_OPEN.value: "Query open orders",
    Permission.QUERY_CLOSED.value: "Query closed orders",
    Permission.MODIFY.value: "Create and modify orders",
    Permission.CLOSE.value: "Cancel and close orders",
    Permission.QUERY_LEDGER.value: "Query ledger",
    Permission.EXPORT.value: "Export data",
    "create-ws-token": "WebSocket",
}


def permission_words(permissions: Iterable[str]) -> str:
    """All of them; one that nobody knows under the exchange's own name."""
    held = list(permissions)
    known = [words for name, words in WORDS.items() if name in held]
    return ", ".join([*known, *(name for name in held if name not in WORDS)]) or "nothing"
