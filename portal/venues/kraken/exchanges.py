"""The exchanges that Accounts may be connected to: the operator's list, so that nobody types an address (IN-5)."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange: how people call it, and where it answers, without a slash at the end."""

    name: str
    url: str


def exchanges() -> tuple[Exchange, ...]:
    """All of them, in the operator's order.

    Raises: ImproperlyConfigured for one that cannot be meant.
    """
    found = tuple(_exchange(part) for part in settings.EXCHANGES if part.strip())
    names = [exchange.name.lower() for exchange in found]
    if len(set(names)) != len(names):
        raise ImproperlyConfigured("PORTAL_EXCHANGES names two exchanges alike.")
    return found


def exchange(name: str) -> Exchange | None:
    """The one of that name; None if the operator has taken it off the list."""
    return next((each for each in exchanges() if each.name == name), None)


def public() -> Exchange | None:
    """Whose prices public methods tell, or None for the paper exchange's.

    Raises: ImproperlyConfigured for a name that is not on the list.
    """
    if not settings.PUBLIC_EXCHANGE:
        return None
    found = exchange(settings.PUBLIC_EXCHANGE)
    if found is None:
        raise ImproperlyConfigured("PORTAL_PUBLIC_EXCHANGE is no name of PORTAL_EXCHANGES.")
    return found


@checks.register(checks.Tags.security)
def check_exchanges(app_configs: object, **kwargs: object) -> list[checks.CheckMessage]:
    """An error where the list cannot be read; Django does not start then."""
    try:
        exchanges()
        public()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="kraken.E001")]
    return []


def _exchange(text: str) -> Exchange:
    name, equals, url = (part.strip() for part in text.partition("="))
    if not equals or not name or len(name) > NAME_LENGTH:
        raise ImproperlyConfigured(f"PORTAL_EXCHANGES: {text!r} is not name=https://host.")
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
        has_port = parts.port is None or parts.port > 0
        is_bare = "@" not in parts.netloc and url.isascii() and url.isprintable() and not set(url) & {" ", "\\"}
    except ValueError:
        parts, is_plain, has_port, is_bare = urlsplit(""), False, False, False
    if not (is_plain and has_port and is_bare and parts.hostname) or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"PORTAL_EXCHANGES: {name} is at {url!r}, which is no https address of a host "
            "(plain http serves for this machine alone)."
        )
    if parts.path not in ("", "/"):
        raise ImproperlyConfigured(f"PORTAL_EXCHANGES: {name}'s address has a path. Leave it away: {url!r}.")
    return Exchange(name, f"{parts.scheme}://{parts.netloc}")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
