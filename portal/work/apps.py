"""What is done beside the requests: queued mail, and what only time brings about."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "portal.work"
    label = "work"
    verbose_name = "Work"
