"""The app that loads every governed operation."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PoliciesConfig(AppConfig):
    name = "policies"
    label = "policies"
    verbose_name = "Policies"
    only_added = ("Decision",)
    never_removed = ("ChangeRequest",)

    def ready(self) -> None:
        """Load every app's governed operations, so that the registry is whole before the first request."""
        autodiscover_modules("operations")
        from policies import witness  # noqa: F401  (tells what the history must know)
