"""How a process begins: what stops it is one line of the log, and so is what nobody caught."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging.config import dictConfig
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal.log_settings import FORMATS, logging_here

logger = logging.getLogger("portal.starting")
# What a process ends with that was not set up as it has to be.
REFUSED: Final = 1


class NotSet(ImproperlyConfigured):
    """Settings are missing without which nothing starts."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Set {', '.join(names)} in the environment, or PORTAL_DEBUG=1 to try it out.")
        self.names = names


@contextmanager
def refusing_in_a_line() -> Iterator[None]:
    """Say in one line of the log why this process does not start, and end it.

    Raises: SystemExit where a setting is missing or wrong.
    """
    try:
        yield
    except ImproperlyConfigured as error:
        if not settings.configured:
            dictConfig(_early())
        logger.critical("Does not start: %s", error)
        raise SystemExit(REFUSED) from None


def log_what_nobody_caught() -> None:
    """Have an error that ends a command or a thread go through the log as well, redacted as all in it is."""

    def of_process(kind: type[BaseException], error: BaseException, _: object) -> None:
        if isinstance(error, Exception):
            logger.critical("Unexpected error", exc_info=error)
        else:
            sys.__excepthook__(kind, error, error.__traceback__)

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if isinstance(args.exc_value, Exception):
            name = args.thread.name if args.thread else "?"
            logger.critical("Unexpected error in the thread %s", name, exc_info=args.exc_value)

    sys.excepthook, threading.excepthook = of_process, of_thread


def _early() -> dict[str, Any]:
    """Before the settings are there, or where they are what is wrong."""
    wanted = os.environ.get("PORTAL_LOG_FORMAT", "")
    default = "text" if os.environ.get("PORTAL_DEBUG", "") in {"1", "true", "on"} else "json"
    return logging_here(wanted if wanted in FORMATS else default)
