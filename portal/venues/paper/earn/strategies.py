"""What an Account can lend to, and on which terms."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from portal.venues.errors import UnknownStrategy
from portal.venues.paper import catalogue
from portal.venues.types import Asset, LockType, Strategy

DAY: Final = timedelta(days=1)
NEVER: Final = timedelta(0)


def _instant(strategy_id: str, asset: Asset, apr: str, minimum: str, maximum: str) -> Strategy:
    return Strategy(
        strategy_id, asset, LockType.INSTANT, Decimal(apr), DAY, NEVER, NEVER, Decimal(minimum), Decimal(maximum)
    )


STRATEGIES: Final = (
    _instant("ESBTCFX-PAPER-000001", catalogue.BTC, "0.15", "0.0001", "1000"),
    _instant("ESETHFX-PAPER-000002", catalogue.ETH, "1.2", "0.001", "20000"),
    _instant("ESUSDFX-PAPER-000003", catalogue.USD, "3.5", "1", "10000000"),
    _instant("ESEURFX-PAPER-000004", catalogue.EUR, "2", "1", "10000000"),
    _instant("ESUSDCF-PAPER-000005", catalogue.USDC, "4.25", "1", "10000000"),
    Strategy(
        "ESETHBD-PAPER-000006",
        catalogue.ETH,
        LockType.BONDED,
        apr=Decimal("3.1"),
        payout_every=DAY,
        bonding=DAY,
        unbonding=5 * DAY,
        minimum=Decimal("0.01"),
        maximum=Decimal(20000),
    ),
    Strategy(
        "ESSOLBD-PAPER-000007",
        catalogue.SOL,
        LockType.BONDED,
        apr=Decimal("6.4"),
        payout_every=DAY,
        bonding=2 * DAY,
        unbonding=3 * DAY,
        minimum=Decimal("0.1"),
        maximum=Decimal(500000),
    ),
)
_BY_ID = {strategy.id: strategy for strategy in STRATEGIES}


def strategy(strategy_id: str) -> Strategy:
    """The strategy of that id. Raises: UnknownStrategy."""
    found = _BY_ID.get(strategy_id)
    if found is None:
        raise UnknownStrategy("There is no such strategy.", field="strategy_id")
    return found


def of_asset(name: str) -> list[Strategy]:
    """Those of one asset, or all without a name. Raises: UnknownAsset."""
    return [one for one in STRATEGIES if not name or one.asset == catalogue.asset(name)]
