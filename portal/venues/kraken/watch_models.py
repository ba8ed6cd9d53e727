"""What the watcher keeps: how far it has looked at the exchange, and what it has judged there."""

from typing import ClassVar

from django.db import models

LOOK_LENGTH = 80
CURSOR_LENGTH = 500
MISHAP_LENGTH = 300
LISTED_LENGTH = 64


class Watch(models.Model):
    """How far the watcher has got with one `part` of what the exchange tells of an Account.

    Everything up to `since` was compared. A list that is longer than one answer is read page by page: `page` is where
    to go on, `until` how far it will have got then. `known` is what was found the last time, where a change matters.
    `looked_at` is when it was asked last, `trouble` why that failed.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    part = models.CharField(max_length=LOOK_LENGTH)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    page = models.CharField(max_length=CURSOR_LENGTH, blank=True)
    known = models.JSONField(default=dict)
    looked_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=MISHAP_LENGTH, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "part"], name="kraken_watch_of_account")]

    def __str__(self) -> str:
        return self.part


class SeenWithdrawal(models.Model):
    """A withdrawal that the exchange listed and that the watcher has judged: it is told of once."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    refid = models.CharField(max_length=LISTED_LENGTH)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "refid"], name="kraken_seen_once")]

    def __str__(self) -> str:
        return self.refid
