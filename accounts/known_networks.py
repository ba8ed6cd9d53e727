"""From where people sign in: a network each, so that a phone's next IPv6 address is not a stranger's."""

from ipaddress import ip_address

from django.utils import timezone

from accounts.models import KnownSource, User
from portal.core.web.proxies import network

UNKNOWN = "unknown"


def network_of(source: str) -> str:
    """The network that failures of `source` count for; all that is no address counts together."""
    try:
        return network(str(ip_address(source)))
    except ValueError:
        return UNKNOWN


def is_known(email: str, source: str) -> bool:
    """Whether the person of that address, if there is one, has signed in from there before."""
    return KnownSource.objects.filter(user__email=email, network=network_of(source)).exists()


def remember(user: User, source: str) -> bool:
    """Note that the person signed in from there; True if they had only ever come from elsewhere."""
    now = timezone.now()
    had_others = KnownSource.objects.filter(user=user).exists()
    _, is_new = KnownSource.objects.update_or_create(
        user=user,
        network=network_of(source),
        defaults={"last_at": now},
        create_defaults={"first_at": now, "last_at": now},
    )
    return is_new and had_others
