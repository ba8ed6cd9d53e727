"""What every other part stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "portal.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Refuse to start where secrets would be sealed under a key that is none (security SE-1)."""
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured

        from portal.core import python_check  # noqa: F401

        # All three bring system checks along.
        from portal.core.secrets import canary, key_checks  # noqa: F401

        wrong = key_checks.wrong_keys()
        if wrong and not settings.DEBUG:
            raise ImproperlyConfigured(" ".join(wrong))
