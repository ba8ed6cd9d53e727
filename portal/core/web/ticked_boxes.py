"""The boxes of a form that asks what would follow from them at every tick."""

from collections.abc import Iterable
from typing import Final

from django.http import QueryDict

# Says that a page asks only what would follow from its boxes.
TICKS: Final = "ticks"


def ticked(posted: QueryDict | None, asked: QueryDict, name: str, otherwise: Iterable[str]) -> frozenset[str]:
    """The boxes called `name` as they are ticked now: `posted`, `asked` by the page at every tick, or `otherwise`."""
    if posted is not None:
        return frozenset(posted.getlist(name))
    return frozenset(asked.getlist(name) if TICKS in asked else otherwise)
