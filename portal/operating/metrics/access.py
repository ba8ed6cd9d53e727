"""Who may have measures: whoever shows the token of the operator, calls from an address of their list, or both."""

import hmac
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from django.conf import settings

from portal.core.web.proxies import Network

SCHEME: Final = "Bearer "


def is_from_there(source: str) -> bool:
    """Whether `source` is on the list, or there is none."""
    if not settings.METRICS_FROM:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in networks(tuple(settings.METRICS_FROM)))


def is_authorized(header: str) -> bool:
    """Whether the header shows the token, or none is asked for. How long that takes says nothing of the token."""
    if not settings.METRICS_TOKEN:
        return True
    given = header.removeprefix(SCHEME).strip() if header.startswith(SCHEME) else ""
    return hmac.compare_digest(given.encode(errors="replace"), settings.METRICS_TOKEN.encode())


@lru_cache(maxsize=4)
def networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    """The list as addresses. Raises: ValueError for what is none."""
    return tuple(ip_network(name) for name in names)
