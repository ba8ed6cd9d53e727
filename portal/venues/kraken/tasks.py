"""What only time brings about at a real exchange."""

from portal.jobs.periodic import every
from portal.jobs.rounds import round_of
from portal.venues.kraken.reading import catalogue, prices
from portal.venues.kraken.watching import rounds
from portal.venues.kraken.withdrawals import tending


@every(60)
def refresh_catalogue() -> None:
    """Read the assets and pairs of exchanges: of new ones at once, of others some hours after the last time."""
    catalogue.refresh_old()


@every(60)
def refresh_prices() -> None:
    """Read what everything last traded at, so that rules about amounts need not wait for the exchange."""
    prices.go_round()


@every(15)
def watch() -> None:
    """Look at the exchange for what nothing here asked for."""
    rounds.go_round()


@round_of("withdrawals")
def tend_withdrawals() -> bool:
    """Send what was agreed to, look for what was lost, and ask how the rest goes."""
    return tending.tend()
