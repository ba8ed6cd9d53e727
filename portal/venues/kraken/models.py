"""What the gateway keeps: sealed credentials, withdrawals under intent and fence, and what the exchange last said."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from portal.core.secrets.sealed_fields import SealedField
from portal.venues.kraken.exchanges import NAME_LENGTH

REFERENCE_LENGTH = 40
REFID_LENGTH = 64
LABEL_LENGTH = 40
PUBLIC_LENGTH = 120
TROUBLE_LENGTH = 300
PART_LENGTH = 80
OWNER_LENGTH = 64
SUBJECT_LENGTH = 120
SAID_LENGTH = 500


def place_of(public: str) -> str:
    """Where the secret of the credential with that public half is sealed for."""
    return f"kraken_credential.sealed_secret:{public}"


class Purpose(models.TextChoices):
    WITHDRAW = "withdraw", "Withdrawals"
    REST = "rest", "Everything else"


class Tier(models.TextChoices):
    """How many calls the exchange takes of the account: the counter's maximum and its decay a second (reference §5)."""

    STARTER = "starter", "Starter: 15 calls, 0.33 a second"
    INTERMEDIATE = "intermediate", "Intermediate: 20 calls, 0.5 a second"
    PRO = "pro", "Pro: 20 calls, 1 a second"


class Connection(models.Model):
    """An Account that is an account at an exchange. `exchange` is a name of the operator's list."""

    account = models.OneToOneField("accounts.Account", on_delete=models.PROTECT, related_name="+")
    exchange = models.CharField(max_length=NAME_LENGTH)
    tier = models.CharField(max_length=16, choices=Tier, default=Tier.INTERMEDIATE)
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.account} at {self.exchange}"


class Credential(models.Model):
    """One key of the exchange, sealed. It is proposed until the request that names it (`request`) is carried out.

    `nonce` is the last one taken, in nanoseconds; `nonce_window` is in the exchange's unit, as it says it. What the
    exchange says of the key (`nonce_window` to `owner`, which is the account there that it belongs to) is as of
    `looked_at`. `stopped_at`: the exchange refused it, so nothing is sent with it any more until somebody tries again.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    exchange = models.CharField(max_length=NAME_LENGTH)
    purpose = models.CharField(max_length=10, choices=Purpose)
    label = models.CharField(max_length=LABEL_LENGTH)
    public = models.CharField(max_length=PUBLIC_LENGTH)
    sealed_secret = SealedField(blank=True)
    nonce = models.BigIntegerField(default=0)
    nonce_window = models.BigIntegerField(default=0)
    permissions = models.JSONField(default=list)
    ip_allowlist = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    query_from = models.DateTimeField(null=True, blank=True)
    query_until = models.DateTimeField(null=True, blank=True)
    owner = models.CharField(max_length=OWNER_LENGTH, blank=True, default="", db_default="")
    looked_at = models.DateTimeField(null=True, blank=True)
    proposed_at = models.DateTimeField()
    request = models.CharField(max_length=REFERENCE_LENGTH, blank=True, default="", db_default="")
    activated_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_because = models.CharField(max_length=TROUBLE_LENGTH, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(purpose="withdraw", activated_at__isnull=False, removed_at=None),
                name="kraken_one_withdrawing_credential",
            ),
            models.UniqueConstraint(
                fields=["public"],
                condition=Q(activated_at__isnull=False, removed_at=None),
                name="kraken_credential_in_one_account",
            ),
            models.CheckConstraint(
                condition=Q(activated_at=None) | Q(account__isnull=False), name="kraken_active_credential_has_account"
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(sealed_secret=""), name="kraken_removed_credential_has_no_secret"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "purpose"], name="kraken_credential_by_account")]

    def __str__(self) -> str:
        return self.label

    @property
    def place(self) -> str:
        """Where its secret is sealed for: it opens nowhere else."""
        return place_of(self.public)

    @property
    def short(self) -> str:
        """The public half as people read it: its first four letters and its last four."""
        return f"{self.public[:4]}…{self.public[-4:]}"


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
    `looks` how often that was done since the answer was lost.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=REFERENCE_LENGTH, unique=True)
    asset = models.CharField(max_length=16)
    decimals = models.SmallIntegerField()
    amount_units = models.BigIntegerField()
    max_fee_units = models.BigIntegerField()
    fee_units = models.BigIntegerField()
    key = models.CharField(max_length=64)
    address = models.CharField(max_length=200)
    method = models.CharField(max_length=40)
    network = models.CharField(max_length=40)
    memo = models.CharField(max_length=100, blank=True)
    held_at = models.DateTimeField()
    step = models.CharField(max_length=10, choices=Step, default=Step.HELD)
    intended_at = models.DateTimeField(null=True)
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="+", null=True)
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
                fields=["account", "asset"],
                condition=Q(step__in=["held", "intended", "sending", "lost", "unknown"]),
                name="kraken_withdrawal_holding",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Snapshot(models.Model):
    """What the exchange last said to one question (`part`), as it said it, and since when it says nothing.

    Of an Account, or with none of an exchange itself: its assets and pairs.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    exchange = models.CharField(max_length=NAME_LENGTH)
    part = models.CharField(max_length=PART_LENGTH)
    answer = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()
    trouble = models.CharField(max_length=TROUBLE_LENGTH, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "part"], name="kraken_snapshot_of_account"),
            models.UniqueConstraint(
                fields=["exchange", "part"], condition=Q(account=None), name="kraken_snapshot_of_exchange"
            ),
        ]

    def __str__(self) -> str:
        return self.part


class Alarm(models.Model):
    """Something at the exchange that people have to know of: a line on every page until somebody acknowledges it.

    `subject` tells alarms of one kind apart; of the same kind and subject one is open at most.
    """

    class Kind(models.TextChoices):
        STOPPED = "stopped", "A credential is stopped"
        CREDENTIAL_CHANGED = "credential-changed", "A credential was changed at the exchange"
        FOREIGN_WITHDRAWAL = "foreign-withdrawal", "A withdrawal that nothing here asked for"
        UNKNOWN_WITHDRAWAL = "unknown-withdrawal", "A withdrawal whose outcome is unknown"
        ADDRESS_DRIFT = "address-drift", "An address changed or vanished at the exchange"
        LEDGER = "ledger", "The exchange's ledger shows what nothing here asked for"

    # About a credential, so that it concerns who manages access too.
    CREDENTIAL_KINDS: ClassVar = (Kind.STOPPED, Kind.CREDENTIAL_CHANGED)

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24, choices=Kind)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    said = models.CharField(max_length=SAID_LENGTH)
    raised_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind", "subject"], condition=Q(acknowledged_at=None), name="kraken_alarm_open_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "id"], condition=Q(acknowledged_at=None), name="kraken_alarm_unacknowledged"
            ),
            models.Index(fields=["account", "-id"], name="kraken_alarm_by_account"),
        ]

    def __str__(self) -> str:
        return self.said

    @property
    def is_of_credential(self) -> bool:
        """Whether it is about a credential."""
        return self.kind in self.CREDENTIAL_KINDS
