"""An Organization: the wall behind which everything else stands; and its ownership on the way to another Member."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

MIN_IDLE_MINUTES, MAX_IDLE_MINUTES = 5, 120
MAX_ABSOLUTE_HOURS = 24


class SecondFactorLevel(models.TextChoices):
    PASSKEY = "passkey", "Passkey only"
    ANY = "any", "Authenticator app or passkey"


class Currency(models.TextChoices):
    """What an Organization may reckon in: the ISO 4217 codes of the money that exchanges of this protocol take."""

    USD = "USD", "US dollar"
    EUR = "EUR", "Euro"
    GBP = "GBP", "Pound sterling"
    CHF = "CHF", "Swiss franc"
    CAD = "CAD", "Canadian dollar"
    AUD = "AUD", "Australian dollar"
    JPY = "JPY", "Yen"


class ApiTier(models.TextChoices):
    """How fast the Organization's bots may call and trade (protocol reference §5)."""

    STARTER = "starter", "Starter"
    INTERMEDIATE = "intermediate", "Intermediate"
    PRO = "pro", "Pro"
    OFF = "off", "No limit"


class Organization(models.Model):
    """A holder of money with its own members, bots, policies and history (DESIGN O1)."""

    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=8, choices=Currency.choices, default=Currency.USD)
    second_factor_level = models.CharField(
        max_length=10, choices=SecondFactorLevel.choices, default=SecondFactorLevel.ANY
    )
    api_tier = models.CharField(max_length=12, choices=ApiTier.choices, default=ApiTier.PRO)
    idle_minutes = models.PositiveSmallIntegerField(default=30)
    absolute_hours = models.PositiveSmallIntegerField(default=12)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(idle_minutes__gte=MIN_IDLE_MINUTES, idle_minutes__lte=MAX_IDLE_MINUTES),
                name="organization_idle_minutes_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(absolute_hours__gte=1, absolute_hours__lte=MAX_ABSOLUTE_HOURS),
                name="organization_absolute_hours_in_range",
            ),
            models.UniqueConstraint(Lower("name"), name="organization_name_once"),
            models.CheckConstraint(
                condition=models.Q(second_factor_level__in=SecondFactorLevel.values),
                name="organization_second_factor_level_known",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__in=Currency.values), name="organization_currency_known"
            ),
            models.CheckConstraint(condition=models.Q(api_tier__in=ApiTier.values), name="organization_api_tier_known"),
        ]

    def __str__(self) -> str:
        return self.name


class OwnershipOffer(models.Model):
    """What an approved transfer leaves open: the new Owner has to accept it before it ends.

    `request` is the reference of the request that asked for it. `lapsed_at` is written when the next offer takes the
    place of one that nobody answered in time, and when who made it or whom it was made to is suspended, kept out or
    removed.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="ownership_offers")
    to = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="ownership_offers")
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
        """Whether it can still be accepted."""
        is_unanswered = self.accepted_at is None and self.declined_at is None and self.lapsed_at is None
        return is_unanswered and self.expires_at > timezone.now()
