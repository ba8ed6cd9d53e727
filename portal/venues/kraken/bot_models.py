"""What the gateway keeps about bots: how much of the exchange's limits each uses, and whose each export is."""

from typing import ClassVar

from django.db import models

CODE_LENGTH = 32


class Share(models.Model):
    """The call counter of one Service User at the exchange of an Account; `who` is 0 for the portal itself.

    `level` was true at `called_at` (Unix seconds) and falls by `decay` a second; `maximum` and `decay` are its part of
    the exchange's, as large as it was then. `calls` and `refused` count on `day` (UTC). `is_over`: the last call was
    refused.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    who = models.BigIntegerField()
    level = models.FloatField()
    maximum = models.FloatField()
    decay = models.FloatField()
    called_at = models.FloatField()
    is_over = models.BooleanField()
    day = models.DateField()
    calls = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "who"], name="kraken_share_once"),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.level:.1f} of {self.maximum:.1f}"


class BotExport(models.Model):
    """An export at the exchange, and the Service User that asked for it: nobody else is told of it.

    It holds what lies from `since` (inclusive) to `before` (exclusive); None where it was asked for without that bound.
    `is_narrowed`: by the query window that its key had then, which holds for this file as long as there is one.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    service_user = models.ForeignKey("accounts.ServiceUser", on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=CODE_LENGTH)
    report = models.CharField(max_length=20)
    since = models.DateTimeField(null=True)
    before = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    is_narrowed = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "code"], name="kraken_export_of_one_bot"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service_user", "code"], name="kraken_export_by_bot"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.report}"
