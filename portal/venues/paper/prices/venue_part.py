"""The part of the venue that says what amounts are worth."""

from decimal import Decimal

from portal.venues.errors import UnknownAsset
from portal.venues.paper.prices import markets
from portal.venues.types import Priced


class PaperPrices:
    """Fulfils `Pricing`, and what `Catalogue` says of worth."""

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        """By the reference prices of this second."""
        return markets.convert(asset, units, into)

    def price(self, account_id: int, asset: str, into: str) -> Priced | None:
        """By the reference prices of this second, the same for every Account."""
        try:
            return markets.price(asset, into)
        except UnknownAsset:
            return None

    def refresh_price(self, account_id: int, asset: str, into: str) -> None:
        """It is always of this second."""
