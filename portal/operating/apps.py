"""What an operator runs and watches an installation with: commands, measures, backups."""

from django.apps import AppConfig


class OperatingConfig(AppConfig):
    name = "portal.operating"
    label = "operating"
    verbose_name = "Operating"
