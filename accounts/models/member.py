"""A Member: a User in one Organization."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.organization import Organization
from portal.core import actors
from portal.core.database.compiled.given import Instant, Key


class Identity(models.TextChoices):
    UNVERIFIED = "unverified", "Not verified"
    SUBMITTED = "submitted", "Being checked"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Not accepted"


def not_suspended(now: Instant | None = None) -> models.Q:
    """Never suspended, or by one person alone and longer ago than that lasts."""
    return models.Q(suspended_at=None) | models.Q(suspended_until__lte=timezone.now() if now is None else now)


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, organization: Organization | Key) -> Self:
        """Those of one Organization, removed ones too."""
        return self.filter(organization=organization)

    def active(self, now: Instant | None = None) -> Self:
        """Those who may sign in: neither suspended nor removed, and the person is enabled."""
        return self.filter(not_suspended(now), removed_at=None, user__is_active=True)

    @staticmethod
    def rested_since() -> datetime:
        """Who enrolled again after this still rests (DESIGN M4)."""
        return timezone.now() - settings.AFTER_RESET

    def resting(self, since: Instant | None = None) -> Self:
        """Those whose factors were put anew, until a day after they have enrolled again (DESIGN M4)."""
        rested = self.rested_since() if since is None else since
        waits = models.Q(factors_enrolled_at=None) | models.Q(factors_enrolled_at__gt=rested)
        return self.filter(waits, factors_reset_at__isnull=False)


class Member(models.Model):
    """A person's place in an Organization (DESIGN M1). Rights are `policies.Grant` rows and start empty.

    `factors_reset_at` is when their factors were last put anew otherwise than by one they held: reset by others, or,
    with `factors_reset_by_code`, enrolled by whoever came in with a recovery code; `factors_enrolled_at` is when they
    first enrolled again after it. A suspension by one person ends at `suspended_until`, whether or not that is ever
    written down; who is kept out by a request has no such end.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    is_owner = models.BooleanField(default=False)
    identity = models.CharField(max_length=10, choices=Identity.choices, default=Identity.UNVERIFIED)
    joined_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    suspended_until = models.DateTimeField(null=True, blank=True)
    factors_reset_at = models.DateTimeField(null=True, blank=True)
    factors_reset_by_code = models.BooleanField(default=False)
    factors_enrolled_at = models.DateTimeField(null=True, blank=True)
    invited_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = MemberQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="member_once_per_organization"),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_owner=True), name="owner_one_per_organization"
            ),
            models.CheckConstraint(
                condition=models.Q(suspended_until=None) | models.Q(suspended_at__isnull=False),
                name="member_suspension_ends_if_begun",
            ),
            # An emergency stop has an end, and who pulls it one at a time; what has lapsed is written down before the
            # next.
            models.UniqueConstraint(
                fields=["suspended_by"],
                condition=models.Q(suspended_until__isnull=False),
                name="member_one_suspension_each",
            ),
            models.CheckConstraint(
                condition=models.Q(suspended_by=None) | ~models.Q(suspended_by=models.F("id")),
                name="member_suspended_by_another",
            ),
            models.CheckConstraint(condition=models.Q(identity__in=Identity.values), name="member_identity_known"),
            models.CheckConstraint(
                condition=models.Q(factors_enrolled_at=None)
                | models.Q(factors_enrolled_at__gte=models.F("factors_reset_at")),
                name="member_enrols_after_reset",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def kind(self) -> str:
        """What an actor is called that is a Member; the history keeps it."""
        return actors.MEMBER

    @property
    def label(self) -> str:
        """The person's name, as pages and the history say it."""
        return self.user.name

    @property
    def is_suspended(self) -> bool:
        """Whether a suspension is in force now (DESIGN §4)."""
        if self.suspended_at is None:
            return False
        return self.suspended_until is None or timezone.now() < self.suspended_until

    @property
    def is_active(self) -> bool:
        """Whether they can do anything here: neither suspended nor removed, and not shut off everywhere."""
        return not self.is_suspended and self.removed_at is None and self.user.is_active

    @property
    def rests_until(self) -> datetime | None:
        """Until when they rest after their factors were put anew (DESIGN M4), whether or not it is over.

        None while they have not enrolled again: the day begins only then.
        """
        return self.factors_enrolled_at + settings.AFTER_RESET if self.factors_enrolled_at else None

    @property
    def is_resting(self) -> bool:
        """Whether they approve nothing, and finish nothing alone, of money, access and policies now (DESIGN M4)."""
        if self.factors_reset_at is None:
            return False
        return self.rests_until is None or timezone.now() < self.rests_until

    @property
    def is_verified(self) -> bool:
        """Whether a colleague has judged that they are who they say (DESIGN M3)."""
        return self.identity == Identity.VERIFIED
