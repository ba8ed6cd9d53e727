"""While no host of the database takes changes: pages are read from a standby and say so, forms are turned away.

All but one: whoever signs out leaves this browser at least.
"""

from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from portal.core.database.postgresql import standby
from portal.core.web.http import SAFE
from portal.dashboard.views.errors import read_only


class ReadOnlyMiddleware:
    """In front of whatever asks the database for a page. The bots' door is in front of it: theirs takes the primary."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Turn away what would change something, before anything of it is begun; let the rest read where it can."""
        if request.method in SAFE or request.path_info == reverse("accounts:sign_out"):
            with standby.serving():
                return self.get_response(request)
        with standby.serving():
            is_refused = _is_read_only()
        return read_only(request) if is_refused else self.get_response(request)


def changes(_request: HttpRequest) -> dict[str, object]:
    """For templates: whether nothing can be changed, asked when it is shown."""
    return {"takes_no_changes": standby.is_read_only}


def _is_read_only() -> bool:
    try:
        return standby.is_read_only_now()
    except Error:
        # Nobody answers at all: whoever asks next says so.
        return False
