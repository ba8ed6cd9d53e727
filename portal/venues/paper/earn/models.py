"""Holding: what an Account has in a strategy; Move: each amount that went in or out; Reward: what was paid for it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from portal.venues.paper.ledger.models import Entry
from portal.venues.types import EarnOperation


class Holding(models.Model):
    """An Account's place in a strategy. `paid_until` is the last payout looked at, `due_at` the next event if any."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    strategy = models.CharField(max_length=24)
    paid_until = models.DateTimeField()
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "strategy"], name="holding_one_per_account_and_strategy"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "due_at"], name="holding_due_of_account"),
            models.Index(fields=["due_at"], name="holding_due"),
        ]

    def __str__(self) -> str:
        return self.strategy


class Move(models.Model):
    """An amount allocated or deallocated at `asked_at`; the operation is under way until `done_at`.

    What is allocated earns from `counts_at` on. What is deallocated stops at `asked_at` and is free at `counts_at`;
    `returned` is the Entry by which it came back.
    """

    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="moves")
    operation = models.CharField(max_length=12)
    units = models.BigIntegerField()
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField()
    counts_at = models.DateTimeField()
    taken = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="earn_taken")
    returned = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="earn_returned")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(operation=EarnOperation.ALLOCATE.value, taken__isnull=False, returned=None)
                | Q(operation=EarnOperation.DEALLOCATE.value, taken=None),
                name="move_taken_or_returned",
            ),
            models.CheckConstraint(condition=Q(units__gt=0), name="move_units_above_zero"),
            models.CheckConstraint(
                condition=Q(asked_at__lte=F("done_at"), done_at__lte=F("counts_at")), name="move_times_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.units}"


class Reward(models.Model):
    """What a Holding was paid for the time until `at`."""

    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="rewards")
    at = models.DateTimeField()
    units = models.BigIntegerField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="reward")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["holding", "at"], name="reward_once_per_payout"),
            models.CheckConstraint(condition=Q(units__gt=0), name="reward_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.units} at {self.at}"
