"""What a line of the log says of the call it belongs to, and what it leaves out."""

import logging

from django.http import HttpRequest

from portal.core import call_origin
from portal.core.database.outage import in_words, is_away
from portal.core.web.http import route_of


class RequestFilter(logging.Filter):
    """Gives each record the number of its call, and takes tracebacks from what is nobody's fault.

    The number is the one on an error page, in `X-Request-Id` and in the history; `-` outside of any call. A refused
    request, or a database that is away, is one line: how the portal came to say so is known. Who stands behind it is
    one of four words, and what was being done a bot's method, a page's verb and route, a task or a command.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """True always: a record is changed and never dropped."""
        request = getattr(record, "request", None)
        origin = call_origin.current()
        record.request_id = getattr(request, "request_id", "") or origin.request_id or "-"
        record.actor, record.doing = origin.actor, call_origin.doing()
        if isinstance(request, HttpRequest):
            # Django says how a page was answered when it is over.
            record.actor, record.doing = call_origin.PERSON, route_of(request.method, request.resolver_match)
        failure = record.exc_info[1] if record.exc_info else None
        if is_away(failure):
            record.msg, record.args = f"{record.getMessage()}: {in_words(failure)}", ()
        if is_away(failure) or is_expected(getattr(record, "status_code", None)):
            record.exc_info = record.exc_text = None
        return True


def is_expected(status: object) -> bool:
    """Whether a page of this status is nobody's fault: refused, or away for now."""
    return isinstance(status, int) and (400 <= status < 500 or status == 503)
