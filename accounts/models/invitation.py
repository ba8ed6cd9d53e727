"""Ways in that travel by mail: an invitation into an Organization, a link to reset a password or enrol a factor."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.member import Member
from accounts.models.organization import Organization


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def of(self, organization: Organization | int) -> Self:
        """Those into one Organization."""
        return self.filter(organization=organization)

    def unanswered(self) -> Self:
        """Neither accepted nor taken back; some may be past their time."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """Those that can still be accepted."""
        return self.unanswered().filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """An open door for one address, with the rights that wait behind it (DESIGN M2).

    `rights` lists `[workflow, right, account id or null]`. Only the digest of the link's token is kept; sending it
    again makes a new token, and the old link is dead.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=80)
    rights = models.JSONField(default=list)
    invited_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invitations_made")
    # How many agreed to it: what others decided, one alone does not take back unless they asked for it.
    approvals = models.PositiveSmallIntegerField(default=0, db_default=0)
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_one_unanswered_per_address",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        """Whether its link still lets somebody in."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class LinkPurpose(models.TextChoices):
    RESET_PASSWORD = "reset", "Reset the password"
    ENROL = "enrol", "Enrol a second factor"


class AccessLink(models.Model):
    """A one-time link to a person's own address: to set a new password, or to enrol a factor after a reset.

    `member` is the place for which a factor may be enrolled; a password is the person's everywhere.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_links")
    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=10, choices=LinkPurpose.choices)
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=LinkPurpose.values), name="access_link_purpose_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} for {self.user}"
