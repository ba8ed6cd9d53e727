"""DepositAddress: where an Account receives; Deposit: something that was sent to it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from portal.venues.paper.ledger.models import Entry


class DepositAddress(models.Model):
    """The address `number` of an Account for one method; `used_at` is when something was first sent there."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    asset = models.CharField(max_length=16)
    method = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    address = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deposit addresses"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "asset", "method", "number"], name="deposit_address_numbered_once"
            ),
            models.UniqueConstraint(fields=["address", "asset", "method"], name="deposit_address_of_one_account"),
        ]

    def __str__(self) -> str:
        return self.address


class Deposit(models.Model):
    """Sent at `sent_at`, in the balance from `credit_at` on; `entry` is there once that has been booked."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True)
    asset = models.CharField(max_length=16)
    amount_units = models.BigIntegerField()
    method = models.CharField(max_length=40)
    network = models.CharField(max_length=40)
    address = models.CharField(max_length=100, blank=True)
    sent_at = models.DateTimeField()
    credit_at = models.DateTimeField()
    entry = models.OneToOneField(Entry, null=True, on_delete=models.PROTECT, related_name="deposit")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_units__gt=0), name="deposit_amount_above_zero"),
            models.CheckConstraint(condition=Q(credit_at__gte=F("sent_at")), name="deposit_credited_after_sent"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="deposit_by_account"),
            models.Index(fields=["account", "credit_at"], condition=Q(entry=None), name="deposit_due_of_account"),
            models.Index(fields=["credit_at"], condition=Q(entry=None), name="deposit_due"),
        ]

    def __str__(self) -> str:
        return self.reference
