"""What lists of a rule can name: what can be withdrawn, and where to; and whether anything of it has a price."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from accounts.models import Account
from policies.measures import Named
from portal.core.errors import Unavailable
from portal.treasury.destinations.identity import identity
from portal.treasury.measures.values import value_of
from portal.treasury.models import Address
from portal.venues.registry import venue

if TYPE_CHECKING:
    from accounts.models import Organization

# As many as one list of a rule takes.
MOST_DESTINATIONS: Final = 1000
# So many assets of a venue are asked for their price before it is said that it has none.
TRIED: Final = 5


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


def is_priced(organization: "Organization") -> bool:
    """Whether something but the currency itself has a fresh price in it, of the first that leave each venue."""
    first: dict[str, int] = {}
    rows = Account.objects.filter(organization=organization).order_by("pk").values_list("venue", "pk")
    for name, account_id in rows:
        first.setdefault(name, account_id)
    return any(_is_priced_at(name, account_id, organization.currency) for name, account_id in first.items())


def _is_priced_at(name: str, account_id: int, currency: str) -> bool:
    exchange = venue(name)
    try:
        leaving = {method.asset.id: method.asset.code for method in exchange.withdrawal_methods()}
    except Unavailable:
        return False
    tried = [asset for asset, code in leaving.items() if code != currency][:TRIED]
    return any(value_of(exchange, account_id, asset, Decimal(1), currency).is_finite() for asset in tried)
