"""Rules that a Member is still writing: nobody else sees them, and nothing obeys them."""

from typing import ClassVar, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from policies.models.policy import DEFAULT_OPEN_HOURS, MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.workflows import Workflow

BASE_LENGTH: Final = 64


class PolicyDraft(models.Model):
    """One of each author and workflow. `base` is the digest of the policy that it was begun from (DESIGN P7)."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="policy_drafts")
    author = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="policy_drafts")
    workflow = models.CharField(max_length=30, choices=[(w.value, w.title) for w in Workflow])
    rules = models.JSONField(default=list)
    open_hours = models.PositiveSmallIntegerField(
        default=DEFAULT_OPEN_HOURS, validators=[MinValueValidator(MIN_OPEN_HOURS), MaxValueValidator(MAX_OPEN_HOURS)]
    )
    base = models.CharField(max_length=BASE_LENGTH)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["author", "workflow"], name="policy_draft_one_of_each_author"),
            models.CheckConstraint(
                condition=models.Q(open_hours__gte=MIN_OPEN_HOURS, open_hours__lte=MAX_OPEN_HOURS),
                name="policy_draft_open_hours_in_range",
            ),
            models.CheckConstraint(condition=models.Q(workflow__in=list(Workflow)), name="policy_draft_workflow_known"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow}: a draft"
