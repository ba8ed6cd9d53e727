"""Who uses how much of what the exchange takes of an Account, by name."""

from dataclasses import dataclass

from accounts.models import ServiceUser
from portal.venues.kraken import shares
from portal.venues.kraken.shares import Use


@dataclass(frozen=True, slots=True)
class NamedUse:
    """What one has used today. `name` is the Service User's, empty for the portal itself."""

    name: str
    use: Use


def named_uses(account_id: int) -> list[NamedUse]:
    """Who has called the exchange of the Account today, most calls first."""
    found = shares.uses(account_id)
    bots = ServiceUser.objects.filter(pk__in=[use.service_user_id for use in found])
    names = dict(bots.values_list("pk", "name"))
    return [NamedUse(names.get(use.service_user_id, ""), use) for use in found]
