"""Adding Earn up again."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Sum

from portal.venues.paper.earn import accrual
from portal.venues.paper.earn.models import Holding, Reward
from portal.venues.paper.earn.strategies import strategy
from portal.venues.paper.ledger.models import Book, Posting
from portal.venues.types import EarnOperation


def differences() -> Iterator[str]:
    """What does not agree, in words."""
    there: Counter[str] = Counter()
    for holding in Holding.objects.prefetch_related("moves", "rewards").iterator(chunk_size=200):
        of, moves = strategy(holding.strategy), list(holding.moves.all())
        for move in moves:
            went_in = move.operation == EarnOperation.ALLOCATE
            there[of.asset.id] += move.units if went_in else -move.units if move.returned_id else 0
        paid = sum(reward.units for reward in holding.rewards.all())
        earned = accrual.earned(of, moves, holding.paid_until)
        if paid > earned:
            yield f"Account {holding.account_id}, {of.id}: {paid} was paid; {earned} was earned."
        for move in moves:
            if accrual.earning(moves, accrual.since(move)) < 0:
                yield f"Account {holding.account_id}, {of.id}: more was taken back than was there at {move.asked_at}."
    booked = {
        row["asset"]: row["total"]
        for row in Posting.objects.filter(book=Book.EARN).values("asset").annotate(total=Sum("units"))
    }
    for asset in sorted({*there, *booked}):
        if there[asset] != booked.get(asset, 0):
            yield f"Earn, {asset}: {booked.get(asset, 0)} is booked; the allocations add up to {there[asset]}."
    for reward in Reward.objects.exclude(entry__kind="staking"):
        yield f"Reward {reward} was booked as something else."
