"""What an Account has in Earn."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from portal.venues.paper.earn import accrual
from portal.venues.paper.earn.models import Holding, Move
from portal.venues.paper.earn.strategies import strategy
from portal.venues.types import Allocation, EarnOperation, Maturing, Payout, Strategy


def allocations(account_id: int) -> list[Allocation]:
    """See Earn.allocations."""
    now = timezone.now()
    holdings = Holding.objects.filter(account_id=account_id, moves__isnull=False).distinct()
    return [_allocation(holding, now) for holding in holdings.prefetch_related("moves", "rewards").order_by("pk")]


def _allocation(holding: Holding, now: datetime) -> Allocation:
    of, moves = strategy(holding.strategy), sorted(holding.moves.all(), key=lambda move: move.pk)
    rewarded = sum(reward.units for reward in holding.rewards.all())
    there = accrual.total(moves, now)
    return Allocation(
        strategy=of,
        total_units=there,
        bonding=_maturing(moves, EarnOperation.ALLOCATE, now),
        unbonding=_maturing(moves, EarnOperation.DEALLOCATE, now),
        pending_units=sum(_sign(move) * move.units for move in moves if move.done_at > now),
        rewarded_units=rewarded,
        payout=_payout(of, moves, rewarded, now) if there else None,
    )


def _maturing(moves: Sequence[Move], operation: EarnOperation, now: datetime) -> tuple[Maturing, ...]:
    """Those whose operation is done and whose time of waiting is not over."""
    waiting = (move for move in moves if move.operation == operation and move.done_at <= now < move.counts_at)
    return tuple(Maturing(move.units, created_at=move.asked_at, expires_at=move.counts_at) for move in waiting)


def _payout(of: Strategy, moves: Sequence[Move], rewarded: int, now: datetime) -> Payout:
    ends_at = accrual.payout_after(of, now)
    return Payout(
        starts_at=ends_at - of.payout_every,
        ends_at=ends_at,
        accrued_units=max(0, accrual.earned(of, moves, now) - rewarded),
        estimated_units=max(0, accrual.earned(of, moves, ends_at) - rewarded),
    )


def _sign(move: Move) -> int:
    return 1 if move.operation == EarnOperation.ALLOCATE else -1
