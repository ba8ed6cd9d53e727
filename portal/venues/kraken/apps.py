"""The app of the gateway to a real exchange."""

from typing import ClassVar

from django.apps import AppConfig


class KrakenConfig(AppConfig):
    name = "portal.venues.kraken"
    label = "kraken"
    verbose_name = "Gateway"
    never_removed = ("Credential", "Withdrawal")
    unreported_fields: ClassVar = {"Credential": ("sealed_secret",)}
