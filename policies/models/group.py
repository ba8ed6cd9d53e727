"""A group of Members: of whom a rule asks so many approvals."""

from typing import ClassVar, Final

from django.db import models
from django.db.models.functions import Lower

NAME_LENGTH: Final = 60


class Group(models.Model):
    """Named within its Organization; one that is `removed_at` is in no rule any more."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="groups")
    name = models.CharField(max_length=NAME_LENGTH)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "organization", Lower("name"), condition=models.Q(removed_at=None), name="group_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """That a Member is in a group."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="memberships")
    member = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="group_memberships")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "member"], name="group_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.group}"
