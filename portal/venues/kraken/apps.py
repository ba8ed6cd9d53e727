"""The app of the gateway to a real exchange."""

from typing import ClassVar

from django.apps import AppConfig


class KrakenConfig(AppConfig):
    name = "portal.venues.kraken"
    label = "kraken"
    verbose_name = "Gateway"
    never_removed = ("Credential", "Withdrawal", "Alarm", "SeenWithdrawal")
    unreported_fields: ClassVar = {"Credential": ("sealed_secret",)}
