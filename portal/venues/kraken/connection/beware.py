"""What to beware of in a credential, from what the exchange says it may do: for the page, and for whoever approves."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Final, TypeAlias

from accounts.models.service_user import Permission
from portal.core.display.descriptions import Notice
from portal.core.display.phrases import dated, listed
from portal.venues.kraken.connection.params import Proposed
from portal.venues.kraken.credentials.permission_words import permission_words
from portal.venues.kraken.models import Credential, Purpose

NEAR: Final = timedelta(days=30)
# What only looks: a credential for withdrawals may do it beside Withdraw.
LOOKING: Final = frozenset(
    {
        Permission.QUERY_FUNDS.value,
        Permission.QUERY_OPEN.value,
        Permission.QUERY_CLOSED.value,
        Permission.QUERY_LEDGER.value,
    }
)
# A row that counts, or what a request names: either by the exchange's word.
Described: TypeAlias = Credential | Proposed
# What pages show, and what compares the exchange with what was asked here, reads by these.
READ_BY: Final = {
    Permission.QUERY_FUNDS.value: "balances and deposits",
    Permission.QUERY_LEDGER.value: "movements",
    Permission.QUERY_OPEN.value: "open orders",
    Permission.QUERY_CLOSED.value: "closed orders and trades",
}


def warnings(row: Described, now: datetime) -> tuple[Notice, ...]:
    """What is not as it should be, each with what to do at the exchange. The worst comes first."""
    by_purpose = _of_withdrawing(row) if row.purpose == Purpose.WITHDRAW else _of_the_rest(row)
    return (*by_purpose, *_of_any(row, now))


def _of_withdrawing(row: Described) -> tuple[Notice, ...]:
    found = []
    if row.nonce_window:
        found.append(
            Notice(
                "stop",
                "It has a nonce window.",
                "That a withdrawal never leaves twice rests on nonces that only rise. Set the window of this key to 0 "
                "at the exchange.",
            )
        )
    more = [name for name in row.permissions if name not in LOOKING and name != Permission.WITHDRAW]
    if more:
        found.append(
            Notice(
                "wait",
                "It may do more than withdraw.",
                f"Also: {permission_words(more)}. The portal uses it for withdrawals alone: take the rest away at the "
                "exchange.",
            )
        )
    return tuple(found)


def _of_the_rest(row: Described) -> tuple[Notice, ...]:
    found = []
    if Permission.WITHDRAW in row.permissions:
        found.append(
            Notice(
                "stop",
                "It may withdraw.",
                "The portal never withdraws with it, so the permission serves only whoever steals it. Take Withdraw "
                "away at the exchange.",
            )
        )
    unread = [words for name, words in READ_BY.items() if name not in row.permissions]
    if unread:
        found.append(
            Notice(
                "wait",
                f"It cannot read {listed(unread)}.",
                "Unless another key of this Account can, pages do not show them, and nothing is noticed that goes "
                "around the portal there.",
            )
        )
    if row.query_from or row.query_until:
        said = " and ".join(
            [
                *([f"before {dated(row.query_from)}"] if row.query_from else []),
                *([f"from {dated(row.query_until)} on"] if row.query_until else []),
            ]
        )
        found.append(
            Notice(
                "wait",
                "It has a query window.",
                f"Nothing that happened {said} can be read, so what goes around the portal then is not noticed. Take "
                "the window away at the exchange.",
            )
        )
    return tuple(found)


def _of_any(row: Described, now: datetime) -> tuple[Notice, ...]:
    found = []
    if not row.ip_allowlist or any(_is_everywhere(text) for text in row.ip_allowlist):
        found.append(
            Notice(
                "wait",
                "It works from any address.",
                "Whoever learns its secret can use it from anywhere. Write this portal's address into its allow-list "
                "at the exchange.",
            )
        )
    if row.expires_at is not None and row.expires_at <= now:
        found.append(Notice("stop", f"It has expired on {dated(row.expires_at)}.", "Replace it by a new one."))
    elif row.expires_at is not None and row.expires_at - now < NEAR:
        found.append(
            Notice("wait", f"It expires on {dated(row.expires_at)}.", "Make the next one in time, and replace it here.")
        )
    return tuple(found)


def _is_everywhere(text: str) -> bool:
    try:
        return ip_network(text, strict=False).prefixlen == 0
    except ValueError:
        return False
