"""What is done beside the requests: queued mail, and what only time brings about."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "portal.jobs"
    label = "work"
    verbose_name = "Work"

    def ready(self) -> None:
        """Let queued mail be found when the sealing keys are exchanged."""
        from portal.core.secrets import sealed_fields
        from portal.jobs.sealed_mail import QueuedMail

        sealed_fields.also(QueuedMail())
