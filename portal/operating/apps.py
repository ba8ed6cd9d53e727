"""What an operator runs and watches an installation with: commands, measures, backups."""

from django.apps import AppConfig


class OperatingConfig(AppConfig):
    name = "portal.operating"
    label = "operating"
    verbose_name = "Operating"

    def ready(self) -> None:
        """Bring along the system checks of what only an operator sets."""
        from portal.operating.metrics import checks  # noqa: F401
