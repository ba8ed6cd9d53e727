"""Allocating and deallocating, under the lock of the Account's balances."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from portal.core.errors import Invalid
from portal.core.money import from_units, plain, to_units
from portal.venues.errors import EarnAboveMaximum, EarnBelowMinimum, EarnBusy, EarnFunds
from portal.venues.journal.writing import together
from portal.venues.paper import clock
from portal.venues.paper.earn import accrual
from portal.venues.paper.earn.models import Holding, Move
from portal.venues.paper.earn.payouts import new_reference, plan
from portal.venues.paper.earn.strategies import strategy
from portal.venues.paper.ledger.models import Book, EntryKind, EntrySubkind
from portal.venues.paper.ledger.posting import Leg, post
from portal.venues.types import EarnOperation, Strategy

# How long an operation is under way.
PROCESSING = timedelta(seconds=2)


def allocate(account_id: int, strategy_id: str, amount: Decimal) -> None:
    """See Earn.allocate."""
    into = strategy(strategy_id)
    units = _units(into, amount)
    if amount < into.minimum:
        raise EarnBelowMinimum(f"The strategy takes {_shown(into, into.minimum)} or more at once.", field="amount")
    with transaction.atomic(), together():
        balance = clock.locked(account_id).get(into.asset.id)
        now = timezone.now()
        holding = _holding(account_id, into, now)
        moves = list(holding.moves.all())
        _check_idle(moves, now)
        if accrual.total(moves, now) + units > to_units(into.maximum, into.asset.decimals):
            raise EarnAboveMaximum(f"The strategy takes {_shown(into, into.maximum)} at most.", field="amount")
        free_units = balance.free_units if balance else 0
        if units > free_units:
            free = _shown(into, from_units(free_units, into.asset.decimals))
            raise EarnFunds(f"The Account has {free} free.", field="amount")
        legs = [Leg(into.asset.id, -units, account_id=account_id), Leg(into.asset.id, units, book=Book.EARN)]
        done_at = now + PROCESSING
        Move.objects.create(
            holding=holding,
            operation=EarnOperation.ALLOCATE,
            units=units,
            asked_at=now,
            done_at=done_at,
            counts_at=done_at + into.bonding,
            taken=post(EntryKind.TRANSFER, new_reference(), legs, at=now, subkind=EntrySubkind.SPOT_TO_EARN),
        )
        plan(holding, into)


def deallocate(account_id: int, strategy_id: str, amount: Decimal) -> None:
    """See Earn.deallocate."""
    out_of = strategy(strategy_id)
    units = _units(out_of, amount)
    with transaction.atomic(), together():
        clock.locked(account_id)
        now = timezone.now()
        holding = _holding(account_id, out_of, now)
        moves = list(holding.moves.all())
        _check_idle(moves, now)
        there = accrual.earning(moves, now)
        if units > there:
            allocated = _shown(out_of, from_units(there, out_of.asset.decimals))
            raise EarnFunds(f"The Account has {allocated} there that can be taken back now.", field="amount")
        if amount < out_of.minimum and units != there:
            least = _shown(out_of, out_of.minimum)
            raise EarnBelowMinimum(f"Take back {least} or more at once, or all there is.", field="amount")
        done_at = now + PROCESSING
        Move.objects.create(
            holding=holding,
            operation=EarnOperation.DEALLOCATE,
            units=units,
            asked_at=now,
            done_at=done_at,
            counts_at=done_at + out_of.unbonding,
        )
        plan(holding, out_of)


def pending(account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
    """See Earn.earn_pending."""
    moves = Move.objects.filter(holding__account=account_id, holding__strategy=strategy(strategy_id).id)
    return moves.filter(operation=operation, done_at__gt=timezone.now()).exists()


def _holding(account_id: int, of: Strategy, now: datetime) -> Holding:
    holding, _ = Holding.objects.get_or_create(account_id=account_id, strategy=of.id, defaults={"paid_until": now})
    return holding


def _check_idle(moves: list[Move], now: datetime) -> None:
    """Raises: EarnBusy."""
    if any(move.done_at > now for move in moves):
        raise EarnBusy("The last allocation or deallocation there is still under way.")


def _units(of: Strategy, amount: Decimal) -> int:
    units = to_units(amount, of.asset.decimals)
    if units <= 0:
        raise Invalid("The amount must be above zero.", field="amount")
    return units


def _shown(of: Strategy, amount: Decimal) -> str:
    return f"{plain(amount)} {of.asset.code}"
