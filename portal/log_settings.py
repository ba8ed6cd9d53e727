"""What is logged, in which form, and by whom: a part of the settings."""

import sys
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

FORMATS: Final = {"text": "portal.core.web.log_lines.TextLine", "json": "portal.core.web.log_lines.JsonLine"}


def logging_here(form: str) -> dict[str, Any]:
    """The same, but a terminal is for people, whatever the installation's programs read."""
    found = logging_of(form)
    return logging_of("text") if sys.stderr is not None and sys.stderr.isatty() else found


def logging_of(form: str) -> dict[str, Any]:
    """What Django hands to `logging`. Raises: ImproperlyConfigured if there is no such format."""
    if form not in FORMATS:
        raise ImproperlyConfigured(f"PORTAL_LOG_FORMAT is one of {', '.join(FORMATS)}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": FORMATS[form]}},
        "filters": {
            "request": {"()": "portal.core.web.log_context.RequestFilter"},
            "redacting": {"()": "portal.core.secrets.log_redaction.RedactingFilter"},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request", "redacting"]},
        },
        # Django's own would say everything a second time, and while DEBUG is on in a form of its own.
        "loggers": {
            "django": {"handlers": [], "level": "WARNING"},
            # What the server of sockets says, too, carries a number and no secret.
            "uvicorn": {"handlers": [], "level": "WARNING", "propagate": True},
            "uvicorn.error": {"level": "WARNING"},
            # So does the server of pages and calls, at the level that its command line says.
            "_granian": {"handlers": [], "propagate": True},
            "granian.access": {"handlers": [], "propagate": True},
            # Who sends traces and reports says once that they are not taken; the libraries would say it each time.
            "opentelemetry": {"handlers": [], "level": "CRITICAL"},
            "urllib3": {"handlers": [], "level": "ERROR"},
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
    }
