"""Orders as tests place them."""

from decimal import Decimal

from portal.venues.paper.venue import PaperVenue
from portal.venues.types import NewOrder, OpenQuery, OrderKind, OrderRow, Side

VENUE = PaperVenue()


def asked(side, volume, price=None, pair="XBTUSD", **terms):
    return NewOrder(
        pair=pair,
        side=Side(side),
        kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
        volume=Decimal(volume),
        price=None if price is None else Decimal(price),
        **terms,
    )


def place(account, side, volume, price=None, pair="XBTUSD", **terms) -> OrderRow:
    return VENUE.place_order(account.pk, asked(side, volume, price, pair, **terms))


def now(account, row, **query) -> OrderRow:
    """The order as it stands now."""
    (found,) = VENUE.orders(account.pk, [row.id], OpenQuery(with_trades=True, **query))
    return found


def has(account):
    """What there is of each asset, and how much of it orders hold."""
    return {
        row.asset.code: tuple(
            Decimal(units).scaleb(-row.asset.decimals) for units in (row.units, row.held_by_orders_units)
        )
        for row in VENUE.balances(account.pk)
    }
