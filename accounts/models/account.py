"""An Account: a set of segregated balances inside an Organization, tied to one venue (DESIGN O5)."""

from typing import ClassVar

from django.db import models

from accounts.models.organization import Organization


class Account(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=40)
    venue = models.CharField(max_length=20, default="paper")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="account_name_once_per_organization"),
        ]

    def __str__(self) -> str:
        return self.name
