"""What became of the calls of a key: counted by day and kind, the last refused ones kept, warnings sent."""

from typing import ClassVar

from django.db import models

from accounts.models.api_key import ApiKey

# As long as the longest string of the protocol, and then some: PostgreSQL refuses what is longer.
ANSWER_LENGTH = 120


class KeyUse(models.Model):
    """How often a key was used in one way on one day (UTC). `kind` is what was called, or the answer if refused."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="use")
    day = models.DateField(db_index=True)
    kind = models.CharField(max_length=ANSWER_LENGTH)
    refused = models.BooleanField()
    calls = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key", "day", "kind"], name="key_use_once_per_day_and_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.api_key} {self.day} {self.kind}: {self.calls}"


class RefusedCall(models.Model):
    """A call that named the key and was refused, with what the bot was not told: `reason` and what it depends on.

    The newest of each key are kept. `times` is how often the same was refused in that second.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="refused_calls")
    at = models.DateTimeField()
    method = models.CharField(max_length=40)
    answer = models.CharField(max_length=ANSWER_LENGTH)
    reason = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    source = models.CharField(max_length=45, blank=True)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["api_key", "-id"], name="refused_call_newest_of_key")]

    def __str__(self) -> str:
        return f"{self.method}: {self.answer}"


class KeyNotice(models.Model):
    """A warning about a key that was mailed: `about` is the instant it warned of, so that another one is new."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=20)
    about = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key", "kind", "about"], name="key_notice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.api_key}"
