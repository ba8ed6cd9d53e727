"""A Grant: one right of one Member in one workflow."""

from typing import ClassVar

from django.db import models

from policies.workflows import Right, Workflow


class Grant(models.Model):
    """Rights are additive. `account` narrows one on addresses or withdrawals; without it, it holds for all."""

    member = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, related_name="grants")
    workflow = models.CharField(max_length=30, choices=[(w.value, w.title) for w in Workflow])
    right = models.CharField(max_length=10, choices=[(r.value, r.title) for r in Right])
    account = models.ForeignKey("accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "workflow", "right", "account"], name="grant_once"),
            models.UniqueConstraint(
                fields=["member", "workflow", "right"], condition=models.Q(account=None), name="grant_for_all_once"
            ),
            models.CheckConstraint(condition=models.Q(workflow__in=list(Workflow)), name="grant_workflow_known"),
            models.CheckConstraint(condition=models.Q(right__in=list(Right)), name="grant_right_known"),
            models.CheckConstraint(
                condition=models.Q(account=None) | models.Q(workflow__in=[w for w in Workflow if w.by_account]),
                name="grant_account_only_where_it_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow}.{self.right}"
