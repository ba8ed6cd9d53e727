"""What only time brings about for money on its way."""

from portal.treasury import settling
from portal.work.duties import every


@every(10)
def tell_settled() -> None:
    """Write into the history which withdrawals have arrived or failed."""
    settling.tell_settled()
