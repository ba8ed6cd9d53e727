"""An Organization: the wall behind which everything else stands."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

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
