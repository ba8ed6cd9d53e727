"""Pages, measured: how many, how each was answered, and how long that took."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Final

from portal.core.observing.meters import Histogram

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

PAGES: Final = Histogram(
    "countersign_page_seconds",
    "How long a request of a person took, from a thread that had taken it to its answer, by class of status.",
    {"status": ("2xx", "3xx", "4xx", "5xx")},
)


def measured(application: "WSGIApplication") -> "WSGIApplication":
    """The same application, each of whose answers is noted; one that it fails to give counts as 5xx."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began, said = perf_counter(), "5"

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: "ExcInfo | None" = None, /
        ) -> Callable[[bytes], object]:
            nonlocal said
            said = status[:1]
            return start_response(status, headers, exc_info)

        try:
            return application(environ, start)
        finally:
            PAGES.observe(perf_counter() - began, f"{said}xx")

    return answering
