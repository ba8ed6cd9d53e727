"""What only time brings about for money on its way."""

from portal.jobs.periodic import every
from portal.treasury import mirrors, settlement


@every(10)
def tell_settled() -> None:
    """Write into the history which withdrawals have arrived or failed."""
    settlement.tell_settled()


@every(60)
def compare_books() -> None:
    """Raise an alarm where an exchange's own book has drifted from one here."""
    mirrors.watch()
