"""What an asset is worth by a venue's last prices: what rules reckon with, and never what anybody trades at."""

from typing import Protocol

from portal.venues.types import Priced


class Pricing(Protocol):
    """The last prices that a venue knows, and since when."""

    def price(self, account_id: int, asset: str, into: str) -> Priced | None:
        """What one of `asset` is worth in `into`, by the last prices of the Account's exchange; None without any.

        Through dollars where nothing trades between the two; it is then as old as the older one. Whoever reckons with
        it says how old is too old. Nobody is called for it, so that it can be asked within a transaction.
        """

    def refresh_price(self, account_id: int, asset: str, into: str) -> None:
        """See that `price` has a fresh answer, as far as that takes a moment only; never within a transaction."""
