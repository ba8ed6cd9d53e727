"""What only time brings about at a real exchange."""

from portal.jobs.periodic import every
from portal.venues.kraken.reading import catalogue


@every(600)
def refresh_catalogue() -> None:
    """Read the assets and pairs of connected exchanges again, a few hours after they were read last."""
    catalogue.refresh_old()
