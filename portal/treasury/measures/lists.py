"""What lists of a rule can name: what can be withdrawn, and where to."""

from typing import TYPE_CHECKING, Final

from accounts.models import Account
from policies.measures import Named
from portal.core.errors import Unavailable
from portal.treasury.destinations.identity import identity
from portal.treasury.models import Address
from portal.venues.registry import venue

if TYPE_CHECKING:
    from accounts.models import Organization

# As many as one list of a rule takes.
MOST_DESTINATIONS: Final = 1000


def assets(organization: "Organization") -> tuple[Named, ...]:
    """Each asset that leaves by some way out of the Organization's venues; one that does not say adds none."""
    codes: dict[str, str] = {}
    names = Account.objects.filter(organization=organization).order_by().values_list("venue", flat=True).distinct()
    for name in sorted(names):
        try:
            methods = venue(name).withdrawal_methods()
        except Unavailable:
            continue
        for method in methods:
            codes.setdefault(method.asset.id, method.asset.code)
    return tuple(Named(value, code) for value, code in sorted(codes.items(), key=lambda item: (item[1], item[0])))


def destinations(organization: "Organization") -> tuple[Named, ...]:
    """Where to, by name: at most a thousand rows of the books, and whoever gets as many says that there may be more.

    One that is in the book of an Account for several assets is named once there, by the first of its names.
    """
    rows = Address.objects.filter(organization=organization, removed_at=None).order_by("key", "pk")
    found: dict[tuple[int, str], Named] = {}
    fields = rows.values_list("account_id", "key", "network", "address", "memo")
    for account_id, key, network, address, memo in fields[:MOST_DESTINATIONS]:
        value = identity(network, address, memo)
        found.setdefault((account_id, value), Named(value, key, account_id))
    return tuple(found.values())
