"""The append-only history."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
    verbose_name = "History"
    only_added = ("AuditEvent",)
    never_removed = ("Chain",)

    def ready(self) -> None:
        """Register the check of the database's roles."""
        from portal.audit import roles_check  # noqa: F401  (registers its check)
