"""What a person showed of their identity, and who looked at it (DESIGN M3)."""

from typing import ClassVar
from uuid import uuid4

from django.db import models

from accounts.models.member import Member
from portal.core.secrets.sealed_fields import SealedField


class IdentityCheck(models.Model):
    """One submission. The document data is sealed; `provider` says who judges it."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="identity_checks")
    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    provider = models.CharField(max_length=40)
    sealed_document = SealedField()
    submitted_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(decided_at=None), name="identity_check_one_undecided"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at=None, accepted=None)
                | models.Q(decided_at__isnull=False, accepted__isnull=False),
                name="identity_check_decided_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"identity of {self.member}"

    @property
    def place(self) -> str:
        """Where its document belongs: it opens nowhere else."""
        return f"accounts_identitycheck.sealed_document:{self.handle}"
