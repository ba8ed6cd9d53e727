"""A withdrawal as it was asked: pinned by value, so that the address book may change afterwards."""

from typing import ClassVar

from django.db import models


class Withdrawal(models.Model):
    """What a ChangeRequest asked to send. How far it has got is the venue's to say, under `reference`.

    `amount_units` is what leaves the balance, `fee_units` the part of it that the network takes, both in the asset's
    smallest unit.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="withdrawals")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="withdrawals")
    change = models.OneToOneField("policies.ChangeRequest", on_delete=models.PROTECT, related_name="withdrawal")
    reference = models.CharField(max_length=40, unique=True)
    address = models.ForeignKey("treasury.Address", on_delete=models.PROTECT, related_name="withdrawals")
    asset = models.CharField(max_length=16)
    amount_units = models.BigIntegerField()
    fee_units = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(amount_units__gt=0, fee_units__gte=0, fee_units__lt=models.F("amount_units")),
                name="withdrawal_amount_above_fee",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="withdrawal_by_organization"),
            models.Index(fields=["account", "-id"], name="withdrawal_by_account"),
        ]

    def __str__(self) -> str:
        return self.reference
