"""What an Account's moves have earned until an instant: whole numbers, from stored times alone.

Nothing is ever added to a running sum: each payout is what has been earned since the beginning, rounded down once, less
what was paid before. However often and however late somebody looks, the total is the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from portal.venues.types import EarnOperation, Strategy

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
YEAR = timedelta(days=365) // INSTANT


class Moved(Protocol):
    """What of a Move counts here."""

    operation: str
    units: int
    asked_at: datetime
    counts_at: datetime


def earning(moves: Sequence[Moved], at: datetime) -> int:
    """The units that earn at an instant."""
    return sum(sign * move.units for sign, move in map(_signed, moves) if since(move) <= at)


def total(moves: Sequence[Moved], at: datetime) -> int:
    """Everything that is in the strategy at an instant: earning, bonding or unbonding."""
    went_in = sum(move.units for move in moves if _is_in(move) and move.asked_at <= at)
    return went_in - sum(move.units for move in moves if not _is_in(move) and move.counts_at <= at)


def earned(strategy: Strategy, moves: Sequence[Moved], until: datetime) -> int:
    """The units earned from the beginning until an instant, rounded down."""
    weight = sum(
        sign * move.units * ((until - since(move)) // INSTANT)
        for sign, move in map(_signed, moves)
        if since(move) < until
    )
    rate, per = (strategy.apr / 100).as_integer_ratio()
    return int(weight * rate // (per * YEAR))


def since(move: Moved) -> datetime:
    """From when on a move counts for what is earned."""
    return move.counts_at if _is_in(move) else move.asked_at


def payout_after(strategy: Strategy, at: datetime) -> datetime:
    """The next instant at which the strategy pays: the days of all strategies begin at midnight, in UTC."""
    return EPOCH + ((at - EPOCH) // strategy.payout_every + 1) * strategy.payout_every


def yearly(strategy: Strategy, units: int, span: timedelta) -> Decimal:
    """What `units` would earn in a stretch of time."""
    return Decimal(units) * strategy.apr * Decimal(span // INSTANT) / (100 * YEAR)


def _signed(move: Moved) -> tuple[int, Moved]:
    return (1 if _is_in(move) else -1), move


def _is_in(move: Moved) -> bool:
    return move.operation == EarnOperation.ALLOCATE
