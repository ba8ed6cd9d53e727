"""JournalHead: how far the journal of an Account has got; JournalEntry: one event in it."""

from typing import ClassVar

from django.db import models


class JournalHead(models.Model):
    """The number of the Account's last event. Whoever writes events holds the row until they commit."""

    account = models.OneToOneField("accounts.Account", primary_key=True, on_delete=models.PROTECT, related_name="+")
    last = models.BigIntegerField()

    class Meta:
        db_table = "journal_head"

    def __str__(self) -> str:
        return f"{self.account_id}: {self.last}"


class JournalEntry(models.Model):
    """One event. A row is never changed, and goes after an hour: it is news, not history."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.BigIntegerField()
    written_at = models.DateTimeField(db_index=True)
    body = models.TextField()

    class Meta:
        db_table = "journal_entry"
        verbose_name_plural = "journal entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "number"], name="journal_number_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.number}"
