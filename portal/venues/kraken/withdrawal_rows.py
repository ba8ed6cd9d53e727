"""Withdrawals as the gateway carries them out: held, sent at most once, and looked for when an answer is lost."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

REFERENCE_LENGTH = 40
ASSET_LENGTH = 16
METHOD_LENGTH = 40
REFID_LENGTH = 64
TROUBLE_LENGTH = 300


class Step(models.TextChoices):
    """How far we are with a withdrawal. What the exchange does with an accepted one is its `status`."""

    HELD = "held", "Held"
    INTENDED = "intended", "Approved, about to be sent"
    SENDING = "sending", "Sent, not answered yet"
    LOST = "lost", "Answer lost, being looked for"
    UNKNOWN = "unknown", "Unknown"
    ACCEPTED = "accepted", "Accepted by the exchange"
    REFUSED = "refused", "Refused by the exchange"
    RELEASED = "released", "Given back"


class Withdrawal(models.Model):
    """A withdrawal as the gateway carries it out. Amounts are in the asset's smallest unit, `decimals` deep.

    `amount_units` is what leaves the balance, `max_fee_units` the most that the exchange may take of it, `fee_units`
    what it took, as far as that is known, else the same. `nonce` and `sent_at` are committed before the call is sent;
    `attempts` counts how often it was. `refid` is what the exchange calls it. `look_at`: when to look for it next,
    `looks` how often that was done since the answer was lost, or when to try again what could not be sent, or when
    to ask how an accepted one goes. `request`
    names the ChangeRequest that it is sent for. `is_not_done`: the exchange answered that it has not done it, which
    one look has to bear out; `trouble` holds the words. `alarmed_at`: people were told that nobody knows.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=REFERENCE_LENGTH, unique=True)
    asset = models.CharField(max_length=ASSET_LENGTH)
    decimals = models.SmallIntegerField()
    amount_units = models.BigIntegerField()
    max_fee_units = models.BigIntegerField()
    fee_units = models.BigIntegerField()
    key = models.CharField(max_length=64)
    address = models.CharField(max_length=200)
    method = models.CharField(max_length=METHOD_LENGTH)
    network = models.CharField(max_length=METHOD_LENGTH)
    memo = models.CharField(max_length=100, blank=True)
    held_at = models.DateTimeField()
    step = models.CharField(max_length=10, choices=Step, default=Step.HELD)
    intended_at = models.DateTimeField(null=True)
    credential = models.ForeignKey("kraken.Credential", on_delete=models.PROTECT, related_name="+", null=True)
    nonce = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    lost_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)
    looks = models.SmallIntegerField(default=0)
    refid = models.CharField(max_length=REFID_LENGTH, null=True)  # noqa: DJ001  (unique among those that have one)
    status = models.CharField(max_length=20, blank=True)
    status_prop = models.CharField(max_length=20, blank=True)
    txid = models.CharField(max_length=200, blank=True)
    status_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=TROUBLE_LENGTH, blank=True)
    released_at = models.DateTimeField(null=True)
    cancel_denied = models.BooleanField(default=False)
    request = models.CharField(max_length=REFERENCE_LENGTH, blank=True, default="", db_default="")
    is_not_done = models.BooleanField(default=False, db_default=False)
    accepted_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount_units__gt=F("max_fee_units"), max_fee_units__gte=0, fee_units__gte=0)
                & Q(fee_units__lte=F("max_fee_units")),
                name="kraken_withdrawal_amount_above_fee",
            ),
            models.CheckConstraint(
                condition=Q(step="accepted", refid__isnull=False) | (~Q(step="accepted") & Q(refid=None)),
                name="kraken_withdrawal_accepted_has_refid",
            ),
            models.CheckConstraint(
                condition=~Q(step__in=["sending", "lost", "unknown"])
                | Q(nonce__isnull=False, sent_at__isnull=False, credential__isnull=False, attempts__gt=0),
                name="kraken_withdrawal_sent_with_nonce",
            ),
            models.UniqueConstraint(fields=["account", "refid"], name="kraken_refid_of_one_withdrawal"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="kraken_withdrawal_by_account"),
            # What is still to be done: few, however many there have been.
            models.Index(
                fields=["step", "look_at"],
                condition=Q(step__in=["intended", "sending", "lost", "unknown"]),
                name="kraken_withdrawal_to_do",
            ),
            models.Index(
                fields=["look_at"],
                condition=Q(step="accepted", look_at__isnull=False),
                name="kraken_withdrawal_on_its_way",
            ),
            models.Index(
                fields=["account", "asset"],
                condition=Q(step__in=["held", "intended", "sending", "lost", "unknown"]),
                name="kraken_withdrawal_holding",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Look(models.Model):
    """One search at the exchange for a withdrawal whose answer was lost: what people go by who have to settle it.

    `listed` are the exchange's own rows for the asset since the intent, `found` the references of those that could be
    it. With `trouble` the exchange was not heard, and nothing was learnt.
    """

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="looked_for")
    at = models.DateTimeField()
    nonce = models.BigIntegerField(null=True)
    listed = models.JSONField(default=list)
    found = models.JSONField(default=list)
    trouble = models.CharField(max_length=TROUBLE_LENGTH, blank=True)

    def __str__(self) -> str:
        return f"{self.withdrawal} at {self.at}"
