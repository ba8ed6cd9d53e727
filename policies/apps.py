"""The app of policies and requests."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"
    label = "policies"
    verbose_name = "Policies"
    only_added = ("Decision",)
    never_removed = ("ChangeRequest",)

    def ready(self) -> None:
        """Have the history know what must be in it."""
        from policies import witness  # noqa: F401
