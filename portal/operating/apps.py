"""What an operator runs and watches an installation with: commands, measures, backups."""

from django.apps import AppConfig


class OperatingConfig(AppConfig):
    name = "portal.operating"
    label = "operating"
    verbose_name = "Operating"

    def ready(self) -> None:
        """Bring along the system checks of what only an operator sets, and have spans taken where traces go anywhere."""
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured

        from portal.operating.metrics import checks  # noqa: F401

        if not settings.TRACES_ENDPOINT:
            return
        import atexit

        from portal.core.observing import spans
        from portal.operating.traces import exporting, taking

        try:
            collector = exporting.Collector(settings.TRACES_ENDPOINT, version=settings.VERSION)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error
        spans.take(taking.Taking(collector.tracer, settings.TRACES_SHARE))
        atexit.register(collector.end)
