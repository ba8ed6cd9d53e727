"""The operator's way back for a member who has lost every factor (DESIGN M4)."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models.member import Member

OPENS_AFTER = timedelta(hours=48)
# What was announced longer ago nobody has in mind any more: it is announced anew.
OPEN_FOR = timedelta(days=30)


class Recovery(models.Model):
    """Announced to everybody at once; enrolment opens 48 hours later, unless any member cancels it before."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="recoveries")
    announced_at = models.DateTimeField()
    opens_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # The person behind `cancelled_by`, who cancels one recovery of the same person and no more (DESIGN M4).
    canceller = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(opened_at=None, cancelled_at=None),
                name="recovery_one_running_per_member",
            ),
            models.UniqueConstraint(
                fields=["member", "canceller"],
                condition=models.Q(canceller__isnull=False),
                name="recovery_cancelled_once_by_each",
            ),
        ]

    def __str__(self) -> str:
        return f"recovery of {self.member}"
