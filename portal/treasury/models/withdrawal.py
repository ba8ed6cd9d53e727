"""A withdrawal as it was asked: pinned by value, so that the address book may change afterwards."""

from typing import ClassVar, Final

from django.db import models

from portal.treasury.destinations.identity import IDENTITY_LENGTH

# `service_user:` and a primary key.
INITIATOR_LENGTH: Final = 40


class Withdrawal(models.Model):
    """What a ChangeRequest asked to send. How far it has got is the venue's to say, under `reference`.

    `amount_units` is what leaves the balance, `fee_units` the part of it that the network takes, both in the asset's
    smallest unit. `asked_as` names the form that a member sent: sent twice, it asks once. For sums there is what it is
    worth in hundredths of the Organization's currency, as last known and empty if nobody ever knew; what its address
    leads to and who asked, as rules name both; and when it was sent, or given back. Held is what has neither.
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

    value_hundredths = models.BigIntegerField(null=True)
    destination = models.CharField(max_length=IDENTITY_LENGTH, default="", db_default="")
    initiator = models.CharField(max_length=INITIATOR_LENGTH, default="", db_default="")
    sent_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)

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
            # All that a sum reads of what left: no row is looked at besides.
            models.Index(
                fields=[
                    "organization",
                    "sent_at",
                    "asset",
                    "account",
                    "destination",
                    "initiator",
                    "value_hundredths",
                    "amount_units",
                    "change",
                ],
                name="withdrawal_sums",
            ),
            models.Index(
                fields=["organization"], condition=models.Q(sent_at=None, released_at=None), name="withdrawal_held"
            ),
            models.Index(fields=["organization", "created_at", "id"], name="withdrawal_by_time"),
        ]

    def __str__(self) -> str:
        return self.reference
