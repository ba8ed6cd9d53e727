"""What serves the portal goes unnamed (security WB-12)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

# Granian has no switch for it: it writes its name wherever an answer brings no `Server` of its own.
NOBODY = ("Server", "")


def nameless(application: "WSGIApplication") -> "WSGIApplication":
    """`application`, whose every answer says of its server that it is nobody."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: "ExcInfo | None" = None, /) -> "object":
            return start_response(status, [*headers, NOBODY], exc_info)

        return application(environ, start)  # type: ignore[arg-type]

    return answering
