"""What Django's own page about an error shows while DEBUG is on: where it happened, and nothing that anybody sent."""

from types import TracebackType
from typing import Any, Final

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

HIDDEN: Final = SafeExceptionReporterFilter.cleansed_substitute


class ReporterFilter(SafeExceptionReporterFilter):
    """Hides every setting, what was posted, and the variables of the code: any can hold a password or a secret.

    Django hides some names of settings, and nothing of a request while DEBUG is on. But a portal that is being tried
    out with PostgreSQL has a password in DATABASE_URL, and people type theirs.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always: Django's own hides nothing while DEBUG is on."""
        return True

    def get_safe_settings(self) -> dict[str, Any]:
        """None of them but that DEBUG is on, which the page asks for."""
        return {"DEBUG": True}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        """The few headers that help to find the fault and are nobody's secret."""
        shown = ("REQUEST_METHOD", "PATH_INFO", "SERVER_PROTOCOL", "HTTP_HOST", "HTTP_USER_AGENT", "CONTENT_TYPE")
        return {name: request.META[name] for name in shown if name in request.META}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        """Their names alone."""
        return dict.fromkeys(request.COOKIES, HIDDEN)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """Their names alone."""
        return {} if request is None else dict.fromkeys(request.POST, HIDDEN)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: TracebackType) -> Any:  # noqa: ANN401
        """None: any may hold a password."""
        return []
