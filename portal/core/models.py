"""What proves that the keys in the environment are those of this database."""

from django.db import models


class SealingCanary(models.Model):
    """A sample sealed under one of PORTAL_SEALING_KEYS, by the first process that ever had it.

    `looked_at` is written by whoever asks whether the database can be written to.
    """

    key = models.TextField(primary_key=True)
    sample = models.TextField()
    looked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key
