"""The app of the governed side of money."""

from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "portal.treasury"
    label = "treasury"
    verbose_name = "Treasury"
