"""What the paper exchange keeps: its ledger, its orders, and what is on its way through a simulated network."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from portal.venues.paper.deposits.models import Deposit, DepositAddress
from portal.venues.paper.earn.models import Holding, Move, Reward
from portal.venues.paper.exports.models import Export, Piece
from portal.venues.paper.ledger.models import Balance, Book, Entry, EntryKind, Posting
from portal.venues.paper.orders.models import Order, Trade, TradedDay, TradingCounter
from portal.venues.paper.ranks.models import Rank, RankCount

__all__ = [
    "Balance",
    "Book",
    "Deposit",
    "DepositAddress",
    "Entry",
    "EntryKind",
    "Export",
    "Holding",
    "Move",
    "Order",
    "Piece",
    "Posting",
    "Rank",
    "RankCount",
    "Reward",
    "Trade",
    "TradedDay",
    "TradingCounter",
    "Withdrawal",
]


class Withdrawal(models.Model):
    """`amount_units` is what leaves the balance, `fee_units` the part the network takes.

    No stage is written anywhere: it follows from `sent_at`, `released_at` and the clock (networks.stage).
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True)
    asset = models.CharField(max_length=16)
    amount_units = models.BigIntegerField()
    fee_units = models.BigIntegerField()
    key = models.CharField(max_length=64)
    address = models.CharField(max_length=200)
    method = models.CharField(max_length=40)
    network = models.CharField(max_length=40)
    memo = models.CharField(max_length=100, blank=True)
    held_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    cancel_denied = models.BooleanField(default=False)
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="withdrawal")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount_units__gt=F("fee_units"), fee_units__gte=0), name="paper_withdrawal_amount_above_fee"
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(released_at=None), name="paper_withdrawal_sent_or_released"
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None, entry=None) | Q(sent_at__isnull=False, entry__isnull=False),
                name="paper_withdrawal_booked_when_sent",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="paper_withdrawal_by_account")]

    def __str__(self) -> str:
        return self.reference
