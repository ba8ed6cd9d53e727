"""One rule for the names of people: among those who decide together no two look alike (security CR-15)."""

from collections.abc import Iterable

from accounts.models import Member, Organization, User
from portal.core.display.lookalikes import look
from portal.core.errors import Invalid

ALIKE = "Somebody you decide with goes by this name, or by one that looks like it. Add what tells you apart."


def one_line(name: str) -> str:
    """The name as it is kept: without spaces at its ends, and single ones within."""
    return " ".join(name.split())


def refuse_alike(name: str, *, among: Iterable[Organization | int], but: User | None = None) -> None:
    """Let a name stand that nobody can take for another's there. In a transaction that holds these histories.

    Raises: Invalid beside `name`.
    """
    others = Member.objects.filter(organization__in=list(among), removed_at=None)
    if but is not None:
        others = others.exclude(user=but)
    seen = look(name)
    if any(look(other) == seen for other in others.values_list("user__name", flat=True)):
        raise Invalid(ALIKE, field="name")
