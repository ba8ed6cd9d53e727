"""Books of addresses that mirror their exchange's own: what it lists, what is not here yet, and what has drifted."""

from portal.treasury.mirrors.listings import (
    BARRED,
    FIRST_THERE,
    NO_RENAMING,
    destination_of,
    listing_of,
    listings_of,
    trouble_with,
    watch,
)

__all__ = [
    "BARRED",
    "FIRST_THERE",
    "NO_RENAMING",
    "destination_of",
    "listing_of",
    "listings_of",
    "trouble_with",
    "watch",
]
