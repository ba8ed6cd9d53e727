"""A Policy: what one workflow asks for."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from policies.workflows import Workflow

MAX_APPROVALS = 20
MIN_OPEN_HOURS, DEFAULT_OPEN_HOURS, MAX_OPEN_HOURS = 1, 72, 24 * 30


class Policy(models.Model):
    """How many approvals, whether also from those with Execute, and how long a request stays open (DESIGN P1).

    While it `is_locked` it changes only by approval, and it protects what would undo it (P3, P4). With `rules`
    these say what is asked (P7), and `approvals` and `always` the most of it, for whoever does not read rules.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="policies")
    workflow = models.CharField(max_length=30, choices=[(w.value, w.title) for w in Workflow])
    approvals = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MAX_APPROVALS)])
    always = models.BooleanField(default=False)
    open_hours = models.PositiveSmallIntegerField(
        default=DEFAULT_OPEN_HOURS, validators=[MinValueValidator(MIN_OPEN_HOURS), MaxValueValidator(MAX_OPEN_HOURS)]
    )
    is_locked = models.BooleanField(default=False)
    rules = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "policies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "workflow"], name="policy_one_per_workflow"),
            models.CheckConstraint(
                condition=models.Q(approvals__gte=1, approvals__lte=MAX_APPROVALS), name="policy_approvals_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(open_hours__gte=MIN_OPEN_HOURS, open_hours__lte=MAX_OPEN_HOURS),
                name="policy_open_hours_in_range",
            ),
            models.CheckConstraint(condition=models.Q(workflow__in=list(Workflow)), name="policy_workflow_known"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow}: {self.approvals}"
