"""Entry and Posting: one balanced movement and its signed legs; Balance: where an Account stands."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class Book(models.TextChoices):
    """Whose book a leg is in. All but those of an Account take the other side and may go below zero."""

    ACCOUNT = "account", "Account"
    OUTSIDE = "outside", "Outside world"
    FEES = "fees", "Fees"
    MARKET = "market", "Market"
    EARN = "earn", "Earn"


class EntryKind(models.TextChoices):
    """What moved. The values are those of the protocol's ledger (reference §9)."""

    DEPOSIT = "deposit", "Deposit"
    WITHDRAWAL = "withdrawal", "Withdrawal"
    TRADE = "trade", "Trade"
    TRANSFER = "transfer", "Transfer"
    STAKING = "staking", "Staking"


class EntrySubkind(models.TextChoices):
    """Which way a transfer goes, between the Account's free balance and Earn."""

    SPOT_TO_EARN = "spottostaking", "To Earn"
    EARN_TO_SPOT = "stakingtospot", "From Earn"


class Entry(models.Model):
    """One movement. Triggers let it be sealed only when its legs sum to zero in each asset, and then never touched."""

    kind = models.CharField(max_length=20, choices=EntryKind.choices)
    subkind = models.CharField(max_length=20, choices=EntrySubkind.choices, blank=True)
    reference = models.CharField(max_length=40)
    at = models.DateTimeField()
    sealed = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "reference"], name="entry_once_per_reference"),
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="entry_kind_known"),
            models.CheckConstraint(
                condition=Q(subkind="") | Q(kind="transfer", subkind__in=EntrySubkind.values),
                name="entry_subkind_of_transfer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Posting(models.Model):
    """One signed leg of an Entry, in the asset's smallest unit.

    A leg on an Account carries its id on the wire, the balance after it and the part of it that was a fee. `at` is the
    Entry's, repeated for the index.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="postings")
    book = models.CharField(max_length=10, choices=Book.choices)
    account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    asset = models.CharField(max_length=16)
    units = models.BigIntegerField()
    fee_units = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    ledger_id = models.CharField(max_length=20, null=True, unique=True)  # noqa: DJ001  (unique among those that have one)
    balance_units = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(book__in=Book.values), name="posting_book_known"),
            models.CheckConstraint(
                condition=Q(book="account", account__isnull=False, ledger_id__isnull=False, balance_units__isnull=False)
                | (~Q(book="account") & Q(account=None, ledger_id=None, balance_units=None)),
                name="posting_account_leg_complete",
            ),
            models.CheckConstraint(condition=~Q(units=0), name="posting_moves_something"),
            models.CheckConstraint(condition=Q(fee_units__gte=0), name="posting_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(balance_units=None) | Q(balance_units__gte=0), name="posting_balance_not_negative"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-at", "-id"], name="posting_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.units} {self.asset} {self.book}"


class Balance(models.Model):
    """What an Account has of one asset, in its smallest unit, and how much of that is spoken for."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    asset = models.CharField(max_length=16)
    units = models.BigIntegerField(default=0)
    held_by_orders_units = models.BigIntegerField(default=0)
    held_by_withdrawals_units = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "asset"], name="balance_one_per_account_and_asset"),
            models.CheckConstraint(condition=Q(units__gte=0), name="balance_not_negative"),
            models.CheckConstraint(
                condition=Q(held_by_orders_units__gte=0, held_by_withdrawals_units__gte=0),
                name="balance_holds_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(units__gte=F("held_by_orders_units") + F("held_by_withdrawals_units")),
                name="balance_covers_its_holds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units} {self.asset}"

    @property
    def free_units(self) -> int:
        """What neither an order nor a withdrawal has taken."""
        return self.units - self.held_by_orders_units - self.held_by_withdrawals_units
