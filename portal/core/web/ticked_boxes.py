"""The boxes of a form that asks what would follow from them at every tick."""

from collections.abc import Iterable
from typing import Final

from portal.core.web.http import MemberRequest

# Says that a page asks only what would follow from its boxes.
TICKS: Final = "ticks"


def ticked(request: MemberRequest, name: str, otherwise: Iterable[str]) -> frozenset[str]:
    """The boxes called `name` as they are ticked now: as posted, as the page asks at every tick, or `otherwise`."""
    if request.method == "POST":
        return frozenset(request.POST.getlist(name))
    return frozenset(request.GET.getlist(name) if TICKS in request.GET else otherwise)
