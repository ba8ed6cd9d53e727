"""What a key could do at worst in the wrong hands, and how much an allow-list covers: one line each."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network, collapse_addresses, ip_network
from typing import Final

from django.utils import timezone

from accounts.models.service_user import Permission
from accounts.service_users.key_settings import Limits
from portal.core.display import markup
from portal.core.display.phrases import counted, listed

# The worst first.
DEEDS: Final[tuple[tuple[frozenset[Permission], str], ...]] = (
    (
        frozenset({Permission.WITHDRAW}),
        "send all that the Account holds to its approved addresses, as far as the policy on withdrawals lets it",
    ),
    (frozenset({Permission.MODIFY}), "trade what the Account holds at any price"),
    (frozenset({Permission.EARN}), "lock funds up in Earn"),
    (frozenset({Permission.CLOSE}), "cancel every open order"),
    (frozenset({Permission.DEPOSIT}), "make deposit addresses"),
    (
        frozenset(
            {Permission.QUERY_FUNDS, Permission.QUERY_LEDGER, Permission.QUERY_OPEN, Permission.QUERY_CLOSED}
            | {Permission.EXPORT}
        ),
        "read what the Account holds and does",
    ),
)
MANY: Final = 2**24


def at_worst(limits: Limits, currency: str) -> str:
    """A sentence: what whoever gets hold of such a key could do, from where and for how long."""
    deeds = [words for permissions, words in DEEDS if any(each.value in limits.permissions for each in permissions)]
    if not deeds:
        return "It could do nothing but ask which key it is."
    most = caps_in_words(limits, currency)
    bounded = f" It sends {most} at most." if most and limits.may_withdraw else ""
    return f"Whoever gets hold of the key could {listed(deeds)}, {_where(limits)} and {_how_long(limits)}.{bounded}"


def caps_in_words(limits: Limits, currency: str) -> str:
    """What bounds its withdrawals: `500 USD at once and 2,000 USD in 24 hours`; empty without a bound."""
    bounds = ((limits.withdrawal_cap, "at once"), (limits.daily_cap, "in 24 hours"))
    return listed([f"{cap(most, currency)} {when}" for most, when in bounds if most is not None])


def cap(most: Decimal | None, currency: str) -> str:
    """One bound as it is read."""
    return "no limit" if most is None else markup.said(most, currency)


def coverage(networks: Sequence[str]) -> str:
    """How many addresses a list lets in: `16 IPv4 addresses and 1 IPv6 network`."""
    if not networks:
        return "any address"
    parsed = [ip_network(entry) for entry in networks]
    v4 = sum(net.num_addresses for net in collapse_addresses(net for net in parsed if isinstance(net, IPv4Network)))
    v6 = sum(1 for net in parsed if not isinstance(net, IPv4Network) and net.num_addresses > 1)
    single = sum(1 for net in parsed if not isinstance(net, IPv4Network) and net.num_addresses == 1)
    parts = ((v4, "IPv4 address"), (single, "IPv6 address"), (v6, "IPv6 network"))
    return listed([counted(number, noun) for number, noun in parts if number])


def is_wide(networks: Sequence[str]) -> bool:
    """Whether a list lets in so many that it hardly is one."""
    return any(net.num_addresses >= MANY for net in map(ip_network, networks) if isinstance(net, IPv4Network))


def _where(limits: Limits) -> str:
    if not limits.ip_allow_list:
        return "from anywhere"
    return f"from {coverage(limits.ip_allow_list)}"


def _how_long(limits: Limits) -> str:
    if limits.expires_at is None:
        return "for ever"
    days = max(1, round((limits.expires_at - timezone.now()) / timedelta(days=1)))
    return f"for {counted(days, 'day')}"
