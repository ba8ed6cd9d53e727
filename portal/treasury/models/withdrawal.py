"""A withdrawal as it was asked: pinned by value, so that the address book may change afterwards."""

from typing import ClassVar

from django.db import models


class Withdrawal(models.Model):
    """What a ChangeRequest asked to send. How far it has got is the venue's to say, under `reference`.

    `amount_units` is what leaves the balance, `fee_units` the part of it that the network takes, both in the asset's
    smallest unit. `asked_as` names the form that a member sent: sent twice, it asks once.
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
    asked_as = models.CharField(max_length=16, null=True)  # noqa: DJ001  (unique among those that have one)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(amount_units__gt=0, fee_units__gte=0, fee_units__lt=models.F("amount_units")),
                name="withdrawal_amount_above_fee",
            ),
            models.UniqueConstraint(
                fields=["asked_as"], condition=models.Q(asked_as__isnull=False), name="withdrawal_once_per_form"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="withdrawal_by_organization"),
            models.Index(fields=["account", "-id"], name="withdrawal_by_account"),
            models.Index(fields=["organization", "asset", "-id"], name="withdrawal_by_asset"),
        ]

    def __str__(self) -> str:
        return self.reference
