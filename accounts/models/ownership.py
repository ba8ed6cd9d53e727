"""Ownership on its way from one Member to another (DESIGN O3)."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.member import Member
from accounts.models.organization import Organization


class OwnershipOffer(models.Model):
    """What an approved transfer leaves open: the new Owner has to accept it before it ends.

    `request` is the reference of the request that asked for it. `lapsed_at` is written when the next offer takes the
    place of one that nobody answered in time, and when whom it was made to is removed.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="ownership_offers")
    to = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="ownership_offers")
    request = models.CharField(max_length=16, unique=True)
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(accepted_at=None, declined_at=None)
                | models.Q(accepted_at=None, lapsed_at=None)
                | models.Q(declined_at=None, lapsed_at=None),
                name="ownership_offer_ends_one_way",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(accepted_at=None, declined_at=None, lapsed_at=None),
                name="ownership_offer_one_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return f"ownership for {self.to}"

    @property
    def is_open(self) -> bool:
        is_unanswered = self.accepted_at is None and self.declined_at is None and self.lapsed_at is None
        return is_unanswered and self.expires_at > timezone.now()
