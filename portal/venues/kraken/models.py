"""What the gateway keeps: sealed credentials, withdrawals under intent and fence, and what the exchange last said."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal.core.secrets.sealed_fields import SealedField
from portal.venues.kraken.bot_models import BotExport, Share
from portal.venues.kraken.exchanges import NAME_LENGTH
from portal.venues.kraken.watch_models import SeenWithdrawal, Watch
from portal.venues.kraken.withdrawal_rows import REFERENCE_LENGTH, TROUBLE_LENGTH, Look, Step, Withdrawal

__all__ = [
    "TROUBLE_LENGTH",
    "Alarm",
    "BotExport",
    "Connection",
    "Credential",
    "Look",
    "Purpose",
    "SeenWithdrawal",
    "Share",
    "Snapshot",
    "Step",
    "Tier",
    "Watch",
    "Withdrawal",
    "place_of",
]

LABEL_LENGTH = 40
PUBLIC_LENGTH = 120
PART_LENGTH = 80
OWNER_LENGTH = 64
SUBJECT_LENGTH = 120
SAID_LENGTH = 500


def place_of(public: str) -> str:
    """Where the secret of the credential with that public half is sealed for."""
    return f"kraken_credential.sealed_secret:{public}"


def shortened(public: str) -> str:
    """A public half as people read it: its first four letters and its last four."""
    return f"{public[:4]}…{public[-4:]}"


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
        return shortened(self.public)


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
        CREDENTIAL_EXPIRING = "credential-expiring", "A credential expires soon"

    # About a credential, so that it concerns who manages access too.
    CREDENTIAL_KINDS: ClassVar = (Kind.STOPPED, Kind.CREDENTIAL_CHANGED, Kind.CREDENTIAL_EXPIRING)

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
