"""Which prices this installation has: PORTAL_PAPER_PRICES is `walk:SEED`, `still` or `csv:FILE`."""

from functools import lru_cache
from pathlib import Path as File
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from portal.core.kept_settings import kept
from portal.venues.paper.prices.given import Recorded, Still
from portal.venues.paper.prices.path import Path
from portal.venues.paper.prices.walk import Walk

# What an order remembers of the path that it was searched on.
LONGEST_KEY: Final = 100


def path() -> Path:
    """The path in force. Raises: ImproperlyConfigured."""
    return _named(kept.PAPER_PRICES)


@lru_cache(maxsize=8)
def _named(name: str) -> Path:
    kind, _, rest = name.partition(":")
    if kind == "walk" and rest and len(name) <= LONGEST_KEY:
        return Walk(rest)
    if kind == "csv" and rest:
        return Recorded(File(rest))
    if name == "still":
        return Still()
    raise ImproperlyConfigured("PORTAL_PAPER_PRICES is walk:SEED (not above 100 characters), still or csv:FILE.")
