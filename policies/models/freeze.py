"""A Freeze: one workflow, an Account of it or one address, where nothing is asked, approved or carried out a while."""

from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q

from policies.workflows import Workflow

LABEL_LENGTH: Final = 200
REASON_LENGTH: Final = 200


class Freeze(models.Model):
    """What one member stopped alone, or others by request keep stopped for longer (DESIGN §4).

    `account` narrows it to one Account, `destination` to one place that money can go to from there, by whatever whoever
    knows such places tells them apart; `label` names all of it. It runs until `ends_at` unless it has `ended_at`
    before: `ended_by` is then who asked for that, and empty where only the clock ended it. With `extended_at` it is not
    that one member's alone any more.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="freezes")
    workflow = models.CharField(max_length=30, choices=[(w.value, w.title) for w in Workflow])
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    destination = models.CharField(max_length=64, blank=True)
    label = models.CharField(max_length=LABEL_LENGTH)
    made_by = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="freezes_made")
    reason = models.CharField(max_length=REASON_LENGTH)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    extended_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["made_by"],
                condition=Q(ended_at=None, extended_at=None),
                name="freeze_one_running_per_member",
            ),
            models.CheckConstraint(condition=Q(workflow__in=list(Workflow)), name="freeze_workflow_known"),
            models.CheckConstraint(
                condition=Q(account=None) | Q(workflow__in=[w for w in Workflow if w.by_account]),
                name="freeze_account_only_where_it_counts",
            ),
            models.CheckConstraint(
                condition=Q(destination="") | Q(workflow=Workflow.INITIATE_WITHDRAWAL, account__isnull=False),
                name="freeze_destination_only_of_an_account",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("started_at")), name="freeze_ends_after_it_starts"),
        ]
        indexes: ClassVar = [
            # Looked for at everything that is asked, approved or carried out.
            models.Index(fields=["organization"], condition=Q(ended_at=None), name="freeze_running"),
            models.Index(fields=["organization", "-id"], name="freeze_by_organization"),
            models.Index(fields=["made_by", "started_at"], name="freeze_by_member"),
        ]

    def __str__(self) -> str:
        return self.label
