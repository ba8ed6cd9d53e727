"""The ASGI application that the portal is served by: `portal.wsgi`, behind a door that waits for whole requests."""

from portal.wsgi import application as wsgi_application

# What was imported above has loaded the apps, which these need.
# isort: split
from typing import Final

from django.conf import settings

from accounts.api_keys import usage
from portal.api import gateway, middleware
from portal.api.protocol.envelope import Error, failure
from portal.api.stream import application as streaming
from portal.core.observing import writing
from portal.core.web.door.bodies import Bodies
from portal.core.web.door.serving import Answer, Door, Line, watch_over
from portal.core.web.security_headers import SECURITY_HEADERS
from portal.core.web.server_header import NOBODY

# Asked by whoever watches over the portal; they must hear the truth while everything else is busy.
WATCHED: Final = frozenset({"/healthz", "/readyz", "/readyz/pages", "/metrics"})
# Where people stand who have not signed in.
DOORS: Final = ("/sign-in/", "/password/")
TOO_SLOW: Final = "What you sent did not arrive in time. Check your connection, go back, and send it again.\n"
TOO_BUSY: Final = "The portal is too busy to answer just now. Wait a few seconds, and try again.\n"


def _plain(status: int, words: str, **headers: str) -> Answer:
    given = {**SECURITY_HEADERS, "Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8", **headers}
    return Answer(status, [*given.items(), NOBODY], words.encode())


def _envelope(error: Error, **headers: str) -> Answer:
    reply = failure(error)
    return Answer(200, [*(middleware.headers(reply) | headers).items(), NOBODY], reply.body)


def _line(name: str, threads: int, longest: int, *, late: Answer, full: Answer, of_source: int | None = None) -> Line:
    return Line(name, threads=threads, longest=longest, late=late, full=full, of_source=of_source)


late = _plain(408, TOO_SLOW, Connection="close")
full = _plain(503, TOO_BUSY, **{"Retry-After": "5"})
bots = _line(
    "bots",
    settings.THREADS,
    1024,
    late=_envelope(Error.INVALID_ARGUMENTS, Connection="close"),
    full=_envelope(Error.BUSY),
    # All that wait for one Account's lock hold a thread each: another address finds one all the same.
    of_source=max(1, settings.THREADS - settings.THREADS // 4),
)
# What anybody may ask without a key: a stranger's questions take no thread from whoever signs.
public = _line(
    "public",
    max(1, settings.THREADS // 2),
    1024,
    late=_envelope(Error.INVALID_ARGUMENTS, Connection="close"),
    full=_envelope(Error.BUSY),
    of_source=max(1, settings.THREADS // 4),
)
# Who is not in yet. A crowd at the door takes few threads, wherever it comes from: for what they all compute at once
# the calls that this process answers wait.
AT_THE_DOOR: Final = max(1, settings.THREADS // 4)
strangers = _line("strangers", AT_THE_DOOR, 64, late=late, full=full, of_source=max(1, AT_THE_DOOR // 2))
pages = _line(
    "pages",
    max(1, settings.THREADS - AT_THE_DOOR),
    128,
    late=late,
    full=full,
    of_source=max(1, settings.THREADS // 4),
)
watch = _line("watch", 1, 64, late=late, full=full)


def line_of(path: str) -> Line:
    """Who answers it: bots never wait for people or strangers, who is in not for who is not, the watch for nobody."""
    if path.startswith(gateway.PUBLIC):
        return public
    if path.startswith(gateway.PREFIX):
        return bots
    if path.startswith(DOORS):
        return strangers
    return watch if path in WATCHED else pages


watch_over(bots, public, strangers, pages, watch)
streaming.watch()


def _end() -> None:
    usage.flush()
    writing.flush()


application = Door(
    wsgi_application,
    line_of=line_of,
    sockets={streaming.PATH: streaming.application},
    at_end=_end,
    bodies=Bodies(
        limit=settings.API_BODY_LIMIT,
        at_once=settings.BODY_AT_ONCE,
        deadline=settings.BODY_DEADLINE,
        slow=settings.SLOW_BODIES,
        slow_of_source=settings.SLOW_BODIES_OF_SOURCE,
    ),
)
