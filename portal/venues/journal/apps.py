"""The app of the journal."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "portal.venues.journal"
    label = "journal"
    verbose_name = "Journal"
