"""What an operator runs and watches an installation with: commands, measures, backups."""

import atexit
import logging
from typing import Final

from django.apps import AppConfig

# How long a process that ends waits for what it has to say.
LAST_SECONDS: Final = 2.0


class OperatingConfig(AppConfig):
    name = "portal.operating"
    label = "operating"
    verbose_name = "Operating"

    def ready(self) -> None:
        """Bring along checks of what only an operator sets, and have traces and errors go where the settings say."""
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured

        from portal.operating.metrics import checks  # noqa: F401

        try:
            if settings.TRACES_ENDPOINT:
                _take_traces(settings.TRACES_ENDPOINT, settings.TRACES_SHARE, settings.VERSION)
            if settings.ERRORS_DSN:
                _report_errors(settings.ERRORS_DSN, settings.VERSION)
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error


def _take_traces(endpoint: str, share: float, version: str) -> None:
    """Raises: ValueError if the endpoint or the share is none."""
    if not 0 <= share <= 1:
        raise ValueError("PORTAL_TRACES_SHARE is a number from 0 to 1.")
    from portal.core.observing import spans
    from portal.operating.traces import exporting, taking

    collector = exporting.Collector(endpoint, version=version)
    spans.take(taking.Taking(collector.tracer, share))
    atexit.register(collector.end)


def _report_errors(dsn: str, version: str) -> None:
    """Raises: ValueError if the DSN is none."""
    from portal.operating import error_reports

    sender = error_reports.client(dsn, release=version)
    logging.getLogger().addHandler(error_reports.ReportingHandler(sender))
    # What ends a command is its last word.
    atexit.register(sender.close, timeout=LAST_SECONDS)
