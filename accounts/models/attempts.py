"""How often signing in was tried, and from where a person came before."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Attempts(models.Model):
    """Tries counted under one key: an address and a source, a source, an address, or a person's second factors.

    `tries` are those of the window that began at `since`; `in_a_row` those since the last success, which no time
    forgives. A key holds digests, never an e-mail address.
    """

    key = models.CharField(max_length=80, unique=True)
    tries = models.PositiveIntegerField(default=0)
    in_a_row = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "attempts"
        indexes: ClassVar = [models.Index(fields=["last_at"], name="attempts_by_age")]

    def __str__(self) -> str:
        return self.key


class KnownSource(models.Model):
    """A network from which a person has signed in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="known_sources")
    network = models.CharField(max_length=49)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "network"], name="known_source_once_per_person"),
        ]

    def __str__(self) -> str:
        return self.network
