"""Every place of a person: factors, password and name are theirs in all their Organizations at once."""

from accounts.models import Member, User
from portal.audit.record import lock_histories


def of(user: User) -> list[Member]:
    """The memberships that were not ended, in the order in which histories are locked."""
    rows = Member.objects.filter(user=user, removed_at=None).select_related("user", "organization")
    return list(rows.order_by("organization_id"))


def lock(user: User) -> None:
    """Take the histories of all their Organizations before anything else: what follows writes into each of them."""
    lock_histories(place.organization_id for place in of(user))
