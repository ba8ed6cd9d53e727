"""Export and its Pieces: a zip file in the database, so that any process can hand it out."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from portal.venues.types import ExportFormat, ExportStatus, Report


class Export(models.Model):
    """A file that a Service User asked for. It holds what lies from `since` (inclusive) to `before` (exclusive).

    `started_at` is when a process took it up; if that process ended meanwhile, another one takes it up again.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    service_user = models.ForeignKey("accounts.ServiceUser", on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=4)
    report = models.CharField(max_length=8)
    format = models.CharField(max_length=3)
    description = models.CharField(max_length=255, blank=True)
    fields = models.JSONField(default=list)
    since = models.DateTimeField(null=True)
    before = models.DateTimeField()
    status = models.CharField(max_length=10, default=ExportStatus.QUEUED.value)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service_user", "code"], name="export_code_once_per_service_user"),
            models.CheckConstraint(
                condition=Q(
                    report__in=[each.value for each in Report],
                    format__in=[each.value for each in ExportFormat],
                    status__in=[each.value for each in ExportStatus],
                ),
                name="export_words_known",
            ),
            models.CheckConstraint(
                condition=Q(status="Processed", completed_at__isnull=False)
                | (~Q(status="Processed") & Q(completed_at=None)),
                name="export_completed_when_processed",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="export_expires_after_made"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service_user", "-created_at", "-id"], name="export_by_service_user"),
            models.Index(fields=["created_at"], condition=~Q(status="Processed"), name="export_to_be_made"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.report}"


class Piece(models.Model):
    """Part of an export's file; all of them in order are the zip."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["export", "number"], name="export_piece_once"),
        ]

    def __str__(self) -> str:
        return f"{self.export_id}, {self.number}"
