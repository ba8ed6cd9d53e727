"""The app of the governed side of money."""

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from policies.measures import Measures


class TreasuryConfig(AppConfig):
    name = "portal.treasury"
    label = "treasury"
    verbose_name = "Treasury"

    def ready(self) -> None:
        """Have rules asked here what is so of withdrawals."""
        from policies.measures import told_by

        told_by(_measures)


def _measures() -> "Measures":
    from portal.treasury.measures import TreasuryMeasures

    return TreasuryMeasures()
