"""Where a request comes from: the one place that reads what proxies say (security WB-10)."""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.core import call_origin
from portal.core.kept_settings import kept
from portal.core.secrets.sealing import digest
from portal.core.web.http import route_of

BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.%\w]+)\](?::[0-9]{1,5})?", re.ASCII)
WITH_PORT: Final = re.compile(r"([0-9.]+):[0-9]{1,5}", re.ASCII)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MOST_HOPS: Final = 16
LONGEST_HOP: Final = 64
# Where the verb and the name of a page stand once it is answered, for whoever stands before Django.
ROUTE: Final = "portal.route"
UNLISTED_SECONDS: Final = 3600.0
# When a proxy was last seen that nobody has listed.
_unlisted: dict[str, float] = {}


def source_address(remote_addr: str, forwarded_for: str) -> str:
    """The trusted source address: the peer, or the right-most hop that a listed proxy added.

    `forwarded_for` is the whole X-Forwarded-For header; from an unlisted peer it is ignored. An IPv4 address inside
    IPv6 is unmapped. Without a peer address, as on a Unix socket, the answer is empty. That a neighbour speaks as a
    proxy and is not listed is remembered, for `unlisted_proxy_seen`.
    """
    # What strangers write there is long or never the same: the memory is for what bots behind a proxy send.
    looked = _looked if len(forwarded_for) <= LONGEST_HOP else _looked.__wrapped__
    source, is_unlisted = looked(remote_addr, forwarded_for, kept.TRUSTED_PROXIES)
    if is_unlisted:
        _unlisted["at"] = time.monotonic()
    return source


def seen(scheme: str, remote_addr: str, forwarded_proto: str, forwarded_for: str) -> tuple[str, bool]:
    """`source_address` and `is_secure` at once, for who asks both at every call."""
    if len(forwarded_for) > LONGEST_HOP or len(forwarded_proto) > LONGEST_HOP:
        return source_address(remote_addr, forwarded_for), is_secure(scheme, remote_addr, forwarded_proto)
    source, is_safe, is_unlisted = _seen(scheme, remote_addr, forwarded_proto, forwarded_for, kept.TRUSTED_PROXIES)
    if is_unlisted:
        _unlisted["at"] = time.monotonic()
    return source, is_safe


@lru_cache(maxsize=4096)
def _seen(
    scheme: str, remote_addr: str, forwarded_proto: str, forwarded_for: str, proxies: tuple[str, ...]
) -> tuple[str, bool, bool]:
    source, is_unlisted = _looked(remote_addr, forwarded_for, proxies)
    return source, _is_secure(scheme, remote_addr, forwarded_proto, proxies), is_unlisted


@lru_cache(maxsize=4096)
def _looked(remote_addr: str, forwarded_for: str, proxies: tuple[str, ...]) -> tuple[str, bool]:
    """The source, and whether a neighbour who is not listed named it. Bots call from few places, again and again."""
    peer = _parse(remote_addr)
    if peer is None:
        return "", False
    # Callers write what stands further left: no more of it is looked at than proxies could stand in line.
    hops = [hop.strip() for hop in forwarded_for.rsplit(",", MOST_HOPS)[-MOST_HOPS:]] if forwarded_for else []
    is_unlisted = bool(hops) and peer.is_private and not _is_proxy(peer, proxies)
    while hops and _is_proxy(peer, proxies):
        hop = _hop(hops.pop())
        if hop is None:
            break
        peer = hop
    return str(peer), is_unlisted


@lru_cache(maxsize=4096)
def network(source: str) -> str:
    """An IPv4 address as it is; of an IPv6 address the /64, all of which one machine may use.

    What is no address stays as it is. Cheap, since each call of a bot asks it.
    """
    if ":" not in source:
        return source
    try:
        return f"{IPv6Address(int(IPv6Address(source)) >> 64 << 64)}/64"
    except ValueError:
        return source


def is_secure(scheme: str, remote_addr: str, forwarded_proto: str) -> bool:
    """Whether the caller speaks TLS: to us, or to a listed proxy, which then says so in X-Forwarded-Proto."""
    return _is_secure(scheme, remote_addr, forwarded_proto, kept.TRUSTED_PROXIES)


def _is_secure(scheme: str, remote_addr: str, forwarded_proto: str, proxies: tuple[str, ...]) -> bool:
    if scheme == "https":
        return True
    return forwarded_proto.rpartition(",")[2].strip() == "https" and _is_listed(remote_addr, proxies)


def is_listed(remote_addr: str) -> bool:
    """Whether that address is one of PORTAL_TRUSTED_PROXIES."""
    return _is_listed(remote_addr, kept.TRUSTED_PROXIES)


def unlisted_proxy_seen() -> bool:
    """Whether a neighbour that is not listed spoke as a proxy within the hour: all behind it count as one source."""
    return "at" in _unlisted and time.monotonic() - _unlisted["at"] < UNLISTED_SECONDS


class OriginMiddleware:
    """Names the origin of everything done for a request, and gives the request its id and its true scheme."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer within that origin, and say the request's id in the answer."""
        meta = request.META
        peer = meta.get("REMOTE_ADDR", "")
        if is_secure(request.scheme or "", peer, meta.get("HTTP_X_FORWARDED_PROTO", "")):
            # What Django asks for `is_secure()`, and so for the origin that its CSRF check expects.
            meta["wsgi.url_scheme"] = "https"
        session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        source = source_address(peer, meta.get("HTTP_X_FORWARDED_FOR", ""))
        via = f"session {digest(session)[:12]}" if session else ""

        def doing() -> str:
            return route_of(request.method, request.resolver_match)

        with call_origin.origin(source=source, via=via, actor=call_origin.PERSON, doing=doing) as origin:
            request.request_id = origin.request_id  # type: ignore[attr-defined]
            response = self.get_response(request)
            response.headers[call_origin.REQUEST_ID] = origin.request_id
            meta[ROUTE] = doing()
            return response


def _hop(text: str) -> Address | None:
    """An address as proxies write it: plain, in quotes, in brackets, with a port (RFC 7239 §6, and what is sent)."""
    if len(text) > LONGEST_HOP:
        return None
    text = text.strip().strip('"')
    if bracketed := BRACKETED.fullmatch(text):
        return _parse(bracketed[1])
    if with_port := WITH_PORT.fullmatch(text):
        return _parse(with_port[1])
    return _parse(text)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # A zone such as %eth0 means something on the peer's own link alone.
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


@lru_cache(maxsize=1024)
def _is_listed(remote_addr: str, proxies: tuple[str, ...]) -> bool:
    peer = _parse(remote_addr)
    return peer is not None and _is_proxy(peer, proxies)


def _is_proxy(address: Address, proxies: tuple[str, ...]) -> bool:
    return any(address in network for network in _proxies(proxies))


@lru_cache(maxsize=4)
def _proxies(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(name) for name in names)
