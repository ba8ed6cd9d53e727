"""A token that opens the private part of a socket to whoever shows it, for a quarter of an hour."""

from typing import ClassVar

from django.db import models

from accounts.models.api_key import ApiKey


class StreamToken(models.Model):
    """One that a key was given. Only the digest is kept; it is worth no more than its key is when it is shown."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="stream_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="stream_token_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return f"of {self.api_key}"
