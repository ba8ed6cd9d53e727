"""What a line of the log says of the call it belongs to, and what it leaves out."""

import logging

from portal.core import call_origin
from portal.core.database.outage import in_words, is_away


class RequestFilter(logging.Filter):
    """Gives each record the number of its call, and takes tracebacks from what is nobody's fault.

    The number is the one on an error page, in `X-Request-Id` and in the history; `-` outside of any call. A refused
    request, or a database that is away, is one line: how the portal came to say so is known.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """True always: a record is changed and never dropped."""
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", "") or call_origin.current().request_id or "-"
        failure = record.exc_info[1] if record.exc_info else None
        if is_away(failure):
            record.msg, record.args = f"{record.getMessage()}: {in_words(failure)}", ()
        if is_away(failure) or _is_expected(getattr(record, "status_code", None)):
            record.exc_info = record.exc_text = None
        return True


def _is_expected(status: object) -> bool:
    return isinstance(status, int) and (400 <= status < 500 or status == 503)
