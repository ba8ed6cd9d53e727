"""What a person sees when a request cannot be answered: generic, with the number that finds it again (WB-12)."""

import logging
import sys
from typing import Final

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.known_networks import network_of
from accounts.models import Member
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import call_origin
from portal.core.actors import Actor, stranger
from portal.core.database.outage import in_words, is_away, note
from portal.core.database.postgresql import standby
from portal.core.secrets import unopened
from portal.core.secrets.sealing import SealBroken
from portal.dashboard.other_organization import home_of

logger = logging.getLogger(__name__)

RECORD_AGAIN_AFTER = 60
# Seconds, said to who met a database that was away.
COME_BACK_AFTER: Final = 5
READ_ONLY: Final = (
    "The database takes no changes just now: you can read, nothing can be decided. Nothing of what you sent was done. "
    "Go back: what you typed is still there, but for passwords and codes. Send it again in a minute."
)
NOT_READ: Final = (
    "The database takes no changes just now, and this page needs one. You can read the others. Come back in a minute."
)
BUSY: Final = (
    "Many people sign in at this moment, and nothing of what you sent was done. "
    "Wait a few seconds, go back, and send it again."
)
UNOPENED: Final = (
    "The portal cannot open a secret that this needs, and nothing of what you sent was done. Trying again does not "
    "help: tell whoever runs the portal that a sealing key is missing. What needs no such secret goes on as ever."
)
STALE_PAGE = "This page was open too long, or was not ours. Go back, reload it, and send it again."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what was sent cannot be read."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say which right is missing: whoever refuses writes it for the reader."""
    return _page(request, 403, str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For a member of two Organizations, the way to the one that has the page; for everybody else nothing is told."""
    reader, route = reader_of(request), request.resolver_match
    home = home_of(reader, route.view_name, route.kwargs) if reader and route else None
    return elsewhere(request, home) if home else _page(request, 404)


def reader_of(request: HttpRequest) -> Member | None:
    """Who only looks, and so may be led elsewhere; None for a stranger, and for who sends something."""
    reader: Member | None = getattr(request, "member", None)
    return reader if request.method in ("GET", "HEAD") else None


def elsewhere(request: HttpRequest, home: Member) -> HttpResponse:
    """The page is there, as another member of the same person: one press leads on, under that Organization's rules."""
    context = {"home": home.organization, "path": request.get_full_path()}
    return render(request, "dashboard/elsewhere.html", context)


def only_for_forms(request: HttpRequest) -> HttpResponse:
    """405: an address that forms are sent to, opened as a page."""
    return _page(request, 405)


def away(request: HttpRequest, error: BaseException) -> HttpResponse:
    """The database is away: said without it, and when to come back. A part of a page is answered by a part."""
    note(error)
    logger.warning("The database failed during %s: %s", ascii(request.path[:100]), in_words(error))
    return _come_back(request, NOT_READ if standby.is_read() else "")


def read_only(request: HttpRequest) -> HttpResponse:
    """Nothing can be changed just now; nothing of this request was begun."""
    return _come_back(request, READ_ONLY, title="Nothing can be changed just now")


def busy(request: HttpRequest) -> HttpResponse:
    """Too many do the same costly thing at this moment; nothing of this request was begun."""
    return _come_back(request, BUSY)


def unopened_secret(request: HttpRequest, error: SealBroken) -> HttpResponse:
    """A sealing key is missing or wrong: only whoever runs the portal can help, and the log tells them."""
    unopened.note(error, "page", ascii(request.path[:100]))
    answer = _come_back(request, UNOPENED, title="A secret cannot be opened")
    del answer.headers["Retry-After"]
    return answer


def _come_back(request: HttpRequest, message: str = "", *, title: str = "") -> HttpResponse:
    template = "_503.html" if request.headers.get("HX-Request") else "503.html"
    answer = render_to_string(template, {"request_id": _id(request), "message": message, "title": title})
    return HttpResponse(answer, status=503, headers={"Retry-After": str(COME_BACK_AFTER), "Cache-Control": "no-store"})


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: whatever broke must not break this page too."""
    error = sys.exc_info()[1]
    if error is not None and is_away(error):
        return away(request, error)
    if isinstance(error, SealBroken):
        return unopened_secret(request, error)
    return HttpResponse(render_to_string("500.html", {"request_id": _id(request)}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a request without a valid token, and remember it: once a minute for each source (security AU-2)."""
    source = network_of(call_origin.current().source)
    if cache.add(f"csrf-refused:{source}", value=True, timeout=RECORD_AGAIN_AFTER):
        member: Actor | None = getattr(request, "member", None)
        with transaction.atomic():
            record(
                EventKind.CSRF_REFUSED,
                actor=member or stranger("somebody not signed in"),
                outcome="refused",
                path=request.path[:200],
                method=request.method,
            )
    return _page(request, 403, STALE_PAGE, title="This page was open too long")


def _page(request: HttpRequest, status: int, message: str = "", *, title: str = "") -> HttpResponse:
    context = {"request_id": _id(request), "message": message, "title": title}
    return render(request, f"{status}.html", context, status=status)


def _id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))
