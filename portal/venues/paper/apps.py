"""The app of the paper exchange."""

from django.apps import AppConfig


class PaperConfig(AppConfig):
    name = "portal.venues.paper"
    label = "paper"
    verbose_name = "Paper exchange"
    only_added = ("Posting",)
    never_removed = ("Entry",)
