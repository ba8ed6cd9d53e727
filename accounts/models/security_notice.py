"""What a person must hear about the safety of their access, until they have seen it."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class SecurityNotice(models.Model):
    """One notice to one person. `accounts.authentication.notifications` words it from `kind` and `data`; no secrets."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_notices")
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], condition=models.Q(seen_at=None), name="security_notice_unseen"),
        ]

    def __str__(self) -> str:
        return self.kind
