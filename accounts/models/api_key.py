"""An API key: one credential of a Service User, and who has ever held its power."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.member import Member
from accounts.models.service_user import ServiceUser
from portal.core.secrets.sealed_fields import SealedField

CLAIM_WITHIN: Final[timedelta] = settings.CLAIM_KEY_WITHIN
# Two keys at most, so that one can be exchanged for another while both work (DESIGN K5).
SLOTS = (1, 2)


def place_of(public: str) -> str:
    """The place of the secret of the key with that public half."""
    return f"accounts_apikey.sealed_secret:{public}"


def short_of(public: str) -> str:
    """Enough of a public half to tell keys apart: `Kx4v…7Q2F`."""
    return f"{public[:4]}…{public[-4:]}"


class ApiKey(models.Model):
    """A public half, a sealed secret, and the counters that one statement moves on every signed call.

    Nothing about the key is trusted from a cache unless `version` still matches: whatever takes power away bumps it.
    `recent_nonces` and `floor_nonce` serve keys with a window (accounts.api_keys.nonces). `calls` is the level of a
    leaky bucket at `calls_at` (Unix seconds).

    One that is paused does nothing until that is lifted; it keeps its slot, and its secret (DESIGN §4).
    A key that can work, or can still be revealed, holds one of the two slots of its bot. One that is rotated in ends
    the keys before it `overlap_hours` after it is revealed; they then expire at `retires_at` at the latest.
    """

    service_user = models.ForeignKey(ServiceUser, on_delete=models.PROTECT, related_name="keys")
    public = models.CharField(max_length=56, unique=True)
    sealed_secret = SealedField()
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="keys_made")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revealed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    last_nonce = models.BigIntegerField(default=0)
    floor_nonce = models.BigIntegerField(default=-1)
    recent_nonces = models.JSONField(default=list)
    calls = models.FloatField(default=0)
    calls_at = models.FloatField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.CharField(max_length=45, blank=True)
    last_used_method = models.CharField(max_length=40, blank=True, default="")
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    overlap_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    retires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service_user", "slot"], name="api_key_two_at_most"),
            models.CheckConstraint(
                condition=models.Q(slot=None) | models.Q(slot__in=SLOTS), name="api_key_slot_one_or_two"
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(slot__isnull=False), name="api_key_active_in_a_slot"
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None) | models.Q(slot=None), name="api_key_revoked_has_no_slot"
            ),
            models.CheckConstraint(
                condition=models.Q(retires_at=None)
                | models.Q(expires_at__isnull=False, expires_at__lte=models.F("retires_at")),
                name="api_key_retires_in_time",
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(revealed_at__isnull=False, revoked_at=None),
                name="api_key_active_only_once_revealed",
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(paused_at=None), name="api_key_paused_is_not_active"
            ),
            models.CheckConstraint(
                condition=models.Q(paused_at=None, paused_by=None)
                | models.Q(paused_at__isnull=False, paused_by__isnull=False),
                name="api_key_paused_by_somebody",
            ),
        ]
        indexes: ClassVar = [
            # What waits for its maker to reveal it is power on its way (DESIGN P4): asked of every Member at each
            # governed change, however many keys there have been.
            models.Index(
                fields=["made_by"],
                condition=models.Q(revealed_at__isnull=True, revoked_at__isnull=True),
                name="api_key_to_claim",
            ),
        ]

    def __str__(self) -> str:
        return self.short

    @property
    def short(self) -> str:
        """Enough of the public half to tell keys apart: `Kx4v…7Q2F`."""
        return short_of(self.public)

    @property
    def place(self) -> str:
        """Where its secret belongs: it opens nowhere else."""
        return place_of(self.public)

    @property
    def claim_by(self) -> datetime:
        """Until when the secret can be revealed (DESIGN K2)."""
        return self.created_at + CLAIM_WITHIN

    @property
    def has_lapsed(self) -> bool:
        """Whether nobody claimed it in time: it can never be used, whether or not that was written down."""
        return self.revealed_at is None and self.claim_by <= timezone.now()

    @property
    def is_over(self) -> bool:
        """Whether it can never work again."""
        return self.revoked_at is not None or self.has_expired or self.has_lapsed

    @property
    def is_claimable(self) -> bool:
        """Whether its secret still waits for its maker: neither revealed nor revoked, and in time; paused or not."""
        return self.revealed_at is None and self.revoked_at is None and timezone.now() < self.claim_by

    @property
    def has_expired(self) -> bool:
        """Whether it is past its expiry; one without never is."""
        return self.expires_at is not None and self.expires_at <= timezone.now()


class Custodian(models.Model):
    """A Member who ever initiated the making, rotating or widening of a key, or revealed it (DESIGN R3)."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="custodians")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="custodies")
    since = models.DateTimeField()
    reason = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key", "member"], name="custodian_once_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.member} of {self.api_key}"
