"""An Organization: the wall behind which everything else stands."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower


class SecondFactorLevel(models.TextChoices):
    PASSKEY = "passkey", "Passkey only"
    ANY = "any", "Authenticator app or passkey"


class Organization(models.Model):
    """A holder of money with its own members, bots, policies and history (DESIGN O1)."""

    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=8, default="USD")
    second_factor_level = models.CharField(
        max_length=10, choices=SecondFactorLevel.choices, default=SecondFactorLevel.ANY
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="organization_name_once"),
            models.CheckConstraint(
                condition=models.Q(second_factor_level__in=SecondFactorLevel.values),
                name="organization_second_factor_level_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
