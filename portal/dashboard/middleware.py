"""Our own pages for what is not there, or only there for a form, also while trying the portal out."""

import sys
from collections.abc import Callable

from django.conf import settings
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.encoding import escape_uri_path

from portal.core.database.outage import is_away
from portal.core.errors import Busy
from portal.core.secrets.sealing import SealBroken
from portal.dashboard.other_organization import OF, named_home
from portal.dashboard.views.errors import (
    away,
    busy,
    elsewhere,
    not_found,
    only_for_forms,
    reader_of,
    unopened_secret,
)


class NotFoundMiddleware:
    """Replaces the list of routes that Django shows for a 404 while DEBUG is on.

    The pages' own security policy blocks its styles, and whoever tries the portal out should see what others will see.
    A page of ours that says more about what is not there stays.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """While DEBUG is on, our page for an address that leads nowhere."""
        response = self.get_response(request)
        is_nowhere = request.resolver_match is None and response.status_code == 404
        if settings.DEBUG and is_nowhere and response.headers["Content-Type"].startswith("text/html"):
            return not_found(request, Http404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """What a view did not find."""
        return not_found(request, exception) if settings.DEBUG and isinstance(exception, Http404) else None


class ElsewhereMiddleware:
    """A link of a mail names its Organization: whoever is signed in at another one of theirs is led there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing here: who is signed in is known only at `process_view`."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponseBase | None:
        """Lead to the page of the Organization that the link names, where that is another one."""
        reader = reader_of(request)
        if reader is None or OF not in request.GET:
            return None
        home = named_home(reader, request.GET[OF])
        return elsewhere(request, home) if home else None


class OnlyForFormsMiddleware:
    """Whoever opens the address of a form again is led to the page with the form, or else told what it is.

    One comes to it by signing in again where an answer to the form was shown, or by a reload in another tab.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Look at a 405 to a GET alone; programs keep their `Allow`."""
        response = self.get_response(request)
        if request.method != "GET" or response.status_code != 405:
            return response
        if above := page_above(request):
            return HttpResponseRedirect(above)
        page = only_for_forms(request)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def page_above(request: HttpRequest) -> str:
    """The nearest page above an address that only takes forms, about the same thing; "" if there is none."""
    match = request.resolver_match
    if match is None:
        return ""
    parts = request.path_info.strip("/").split("/")
    for count in range(len(parts) - 1, 0, -1):
        path = f"/{'/'.join(parts[:count])}/"
        try:
            above = resolve(path)
        except Resolver404:
            continue
        if above.app_names == match.app_names and above.kwargs.items() <= match.kwargs.items():
            return escape_uri_path(path)
    return ""


class AwayMiddleware:
    """503 where the database failed for now, a secret does not open, or a view found too many at work before it.

    What a view raises comes here first. What other middleware raises, Django makes a 500 of: one of ours, which
    `errors.server_error` answers, or while DEBUG is on one of its own, which is replaced here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """503 also where the failure came to an answer of 500 first."""
        response = self.get_response(request)
        failure = getattr(request, "failed_with", None)
        return away(request, failure) if response.status_code == 500 and is_away(failure) else response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """503 for what is not the reader's to mend; None leaves any other error to Django."""
        if isinstance(exception, Busy):
            return busy(request)
        if isinstance(exception, SealBroken):
            return unopened_secret(request, exception)
        return away(request, exception) if is_away(exception) else None


@receiver(got_request_exception)
def remember_failure(sender: object, request: HttpRequest | None = None, **_kwargs: object) -> None:
    """Django tells nobody else with what a request failed."""
    if request is not None:
        request.failed_with = sys.exc_info()[1]  # type: ignore[attr-defined]
