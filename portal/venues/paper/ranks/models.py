"""Rank: the place of a row in a list of its Account; RankCount: how many rows such a list has."""

from typing import ClassVar, Final

from django.db import models
from django.db.models import Q

# The parts of closed orders by how long they were open, in seconds at most; what was open longer is a part too.
SPANS: Final = tuple(10**power for power in range(10))


class Ranked(models.TextChoices):
    """The lists that are asked for by pages, with an exact count: by when it was booked, closed or traded."""

    LEDGER = "ledger", "Ledger"
    ORDER = "order", "Closed orders"
    TRADE = "trade", "Trades"


class Rank(models.Model):
    """The `number`th row of a list, counted from the oldest on, without gaps.

    `key` names a part of the list that is counted by itself: "" is all of it; `kind/asset` of the ledger;
    `userref:` and `id:` (cl_ord_id) of closed orders, and `span:` by how long they were open (orders.closed).
    Triggers write it with the row, whoever writes that; one that comes late moves up those after it. The row itself
    answers for its Account in the database.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    list = models.CharField(max_length=6, choices=Ranked.choices)
    key = models.CharField(max_length=48, blank=True)
    number = models.BigIntegerField()
    at = models.DateTimeField()
    row_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(list__in=Ranked.values), name="rank_list_known"),
            models.CheckConstraint(condition=Q(number__gt=0), name="rank_counts_from_one"),
            models.UniqueConstraint(fields=["account", "list", "key", "at", "row_id"], name="rank_once_per_row"),
        ]
        # Not unique: while later rows move up, two have the same number for a moment.
        indexes: ClassVar = [models.Index(fields=["account", "list", "key", "number"], name="rank_by_number")]

    def __str__(self) -> str:
        return f"{self.list} {self.key} {self.number}"


class RankCount(models.Model):
    """How many rows a list has, or a part of the ledger.

    Whoever adds to the list holds this row, so that no number is given twice.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    list = models.CharField(max_length=6, choices=Ranked.choices)
    key = models.CharField(max_length=48, blank=True)
    count = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "list", "key"], name="rank_count_once_per_part"),
        ]

    def __str__(self) -> str:
        return f"{self.list} {self.key}: {self.count}"
