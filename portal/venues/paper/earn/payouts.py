"""What the clock does to a Holding: returns and payouts. The caller holds the lock of the Account's balances."""

from contextlib import suppress
from datetime import datetime, timedelta

from portal.core.errors import DomainError
from portal.core.secrets import sealing
from portal.venues.paper.earn import accrual
from portal.venues.paper.earn.models import Holding, Move, Reward
from portal.venues.paper.earn.strategies import strategy
from portal.venues.paper.ledger.models import Book, EntryKind, EntrySubkind
from portal.venues.paper.ledger.posting import Leg, post
from portal.venues.types import EarnOperation, Strategy

LATER = timedelta(days=1)


def new_reference() -> str:
    """A reference in a form of our own, as the protocol treats them as opaque."""
    return f"EA{sealing.token(5)}-{sealing.token(6)}-{sealing.token(6)}"


def plan(holding: Holding, of: Strategy) -> None:
    """Note when something happens next: something comes back, or a payout of something earned."""
    moves = list(holding.moves.all())
    times = [
        move.counts_at for move in moves if move.operation == EarnOperation.DEALLOCATE and move.returned_id is None
    ]
    earns_later = [accrual.since(move) for move in moves if accrual.since(move) > holding.paid_until]
    if accrual.earning(moves, holding.paid_until):
        times.append(accrual.payout_after(of, holding.paid_until))
    elif earns_later:
        times.append(accrual.payout_after(of, min(earns_later)))
    holding.due_at = min(times, default=None)
    holding.save()


def happen(holding_id: int) -> datetime | None:
    """Carry out a Holding's next event and say when the one after it is due."""
    holding = Holding.objects.select_for_update(no_key=True).get(pk=holding_id)
    of, at = strategy(holding.strategy), holding.due_at
    if at is None:
        return None
    # What has come back first: then the payout of the same instant knows it.
    coming = holding.moves.filter(operation=EarnOperation.DEALLOCATE, returned=None, counts_at__lte=at)
    for move in coming.order_by("counts_at", "pk"):
        _return(holding, of, move)
    if at == accrual.payout_after(of, at - accrual.INSTANT):
        _pay(holding, of, at)
    plan(holding, of)
    return holding.due_at


def _return(holding: Holding, of: Strategy, move: Move) -> None:
    legs = [
        Leg(of.asset.id, -move.units, book=Book.EARN),
        Leg(of.asset.id, move.units, account_id=holding.account_id),
    ]
    try:
        move.returned = post(
            EntryKind.TRANSFER, new_reference(), legs, at=move.counts_at, subkind=EntrySubkind.EARN_TO_SPOT
        )
    except DomainError:
        # A balance that can grow no further must not stop the clock of everything else.
        move.counts_at += LATER
    move.save(update_fields=["returned", "counts_at"])


def _pay(holding: Holding, of: Strategy, at: datetime) -> None:
    moves = list(holding.moves.all())
    units = accrual.earned(of, moves, at) - sum(holding.rewards.values_list("units", flat=True))
    if units > 0:
        legs = [Leg(of.asset.id, -units, book=Book.OUTSIDE), Leg(of.asset.id, units, account_id=holding.account_id)]
        # What cannot be booked now is still owed: the next payout is reckoned from the beginning again.
        with suppress(DomainError):
            entry = post(EntryKind.STAKING, new_reference(), legs, at=at)
            Reward.objects.create(holding=holding, at=at, units=units, entry=entry)
    holding.paid_until = at
