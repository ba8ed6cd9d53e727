"""What is logged, in which form, and by whom: a part of the settings."""

from typing import Any, Final

LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"}},
    "filters": {
        "request": {"()": "portal.core.web.log_context.RequestFilter"},
        "redacting": {"()": "portal.core.secrets.log_redaction.RedactingFilter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request", "redacting"]}
    },
    # Django's own would say everything a second time, and while DEBUG is on in a form of its own.
    "loggers": {
        "django": {"handlers": [], "level": "WARNING"},
        # What the server of sockets says, too, carries a number and no secret.
        "uvicorn": {"handlers": [], "level": "WARNING", "propagate": True},
        "uvicorn.error": {"level": "WARNING"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
}
