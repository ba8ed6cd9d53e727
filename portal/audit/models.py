"""What happened, kept for ever: one chain of AuditEvents per Organization, and one for the installation."""

from typing import ClassVar

from django.db import models


class Chain(models.Model):
    """The head of one chain. Locking this row orders all that is written into the history of an Organization."""

    organization = models.OneToOneField(
        "accounts.Organization", null=True, on_delete=models.PROTECT, related_name="chain", db_constraint=True
    )
    name = models.CharField(max_length=40, unique=True)
    length = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64, default="", blank=True)

    def __str__(self) -> str:
        return self.name


class AuditEvent(models.Model):
    """One thing that happened. Never changed, never deleted; a database trigger refuses both."""

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="events")
    sequence = models.PositiveBigIntegerField()
    organization = models.ForeignKey(
        "accounts.Organization", null=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    workflow = models.CharField(max_length=30, blank=True)
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    actor_kind = models.CharField(max_length=20)
    actor_id = models.BigIntegerField(default=0)
    actor_label = models.CharField(max_length=200)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(default=0)
    subject_label = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=10)
    source = models.CharField(max_length=45, blank=True)
    via = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["chain", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="audit_event_one_per_place"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="audit_event_by_organization"),
            models.Index(fields=["organization", "workflow", "-id"], name="audit_event_by_workflow"),
            models.Index(fields=["organization", "actor_kind", "actor_id", "-id"], name="audit_event_by_actor"),
            models.Index(fields=["organization", "kind", "-id"], name="audit_event_by_kind"),
            models.Index(fields=["organization", "at"], name="audit_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"
