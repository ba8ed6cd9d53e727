"""Unexpected errors to a receiver that speaks as Sentry does. Imported only where one is named.

What is reported is what the log has a traceback of: pages, calls, sockets, tasks and commands alike. A report holds
the error with its traceback, the release, and what a line of the log says of where it happened; no body, no header,
no value of a variable, and nothing of who it happened to.
"""

import logging
import time
from typing import Any, Final, cast

from sentry_sdk.client import Client
from sentry_sdk.transport import HttpTransport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import BadDsn, Dsn, event_from_exception

from portal.core.secrets.log_redaction import RedactingFilter, redacted
from portal.core.web.log_context import RequestFilter
from portal.core.web.log_lines import told_of

logger = logging.getLogger(__name__)
# How many reports wait for a slow receiver; what comes then is dropped.
QUEUE: Final = 100
# How long nothing more is said of a receiver that takes none.
QUIET_SECONDS: Final = 3600.0
# What is ours in a report; all else names the release and the library.
OURS: Final = ("exception", "logentry", "tags", "transaction", "logger")


def client(dsn: str, *, release: str) -> Client:
    """What sends reports, by a thread of its own. Raises: ValueError if the DSN is none."""
    try:
        Dsn(dsn)
    except BadDsn as error:
        raise ValueError("PORTAL_ERRORS_DSN is what the receiver gave, as https://key@host/number.") from error
    return Client(
        dsn=dsn,
        release=release,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        send_client_reports=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        transport_queue_size=QUEUE,
        before_send=_cleaned,
        transport=Sending,
    )


class Sending(HttpTransport):
    """Says now and then that reports are not taken; each that is dropped stands in the log in any case."""

    said_at = -QUIET_SECONDS

    def on_dropped_event(self, _reason: str) -> None:
        """One was not taken, or found too many before it."""
        if time.monotonic() - self.said_at >= QUIET_SECONDS:
            self.said_at = time.monotonic()
            logger.warning("Reports of errors are not taken by their receiver; they are dropped meanwhile")


class ReportingHandler(logging.Handler):
    """Reports each record that has an unexpected error, and fails nothing when it cannot."""

    def __init__(self, sender: "Client") -> None:
        super().__init__(logging.ERROR)
        self._sender = sender
        self.addFilter(RequestFilter())
        self.addFilter(RedactingFilter())

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the report to the thread that sends it; where too many wait already it is dropped."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Exception):
            return
        try:
            event, hint = event_from_exception(error, client_options=self._sender.options)
            self._sender.capture_event({**event, **_about(record)}, hint=hint)
        except Exception:  # noqa: BLE001 - it is in the log already, and a second fault must not hide the first
            return


def _about(record: logging.LogRecord) -> Event:
    said = told_of(record)
    tags = {name: str(said[name]) for name in said if name not in {"time", "level", "logger", "message"}}
    doing = next((tags[name] for name in ("route", "method", "command", "task") if name in tags), "")
    about = {
        "level": "fatal" if record.levelno >= logging.CRITICAL else "error",
        "logger": record.name,
        "logentry": {"message": str(said["message"])},
        "tags": tags,
        "transaction": doing,
    }
    return cast("Event", about)


def _cleaned(event: Event, _: Hint) -> Event:
    return cast("Event", {name: _without_secrets(said) if name in OURS else said for name, said in event.items()})


def _without_secrets(said: object) -> Any:  # noqa: ANN401 - of any shape that JSON has
    match said:
        case str():
            return redacted(said)
        case dict():
            return {name: _without_secrets(value) for name, value in said.items() if name != "vars"}
        case list() | tuple():
            return [_without_secrets(each) for each in said]
    return said
