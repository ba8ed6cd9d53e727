"""Bytes to the exchange and back: over connections that are kept, within bounds of time and size, never redirected."""

import time
from functools import lru_cache
from ssl import SSLCertVerificationError
from typing import Final, cast

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError, SSLError
from urllib3.util import Retry, Timeout

from portal.core.observing.meters import Counter, Histogram
from portal.core.observing.spans import root
from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, NotSent

CONNECT_SECONDS: Final = 5.0
# Of a whole call, from the first byte that is sent to the last one that is read.
SECONDS: Final = 20.0
JSON_LIMIT: Final = 16 * 1024 * 1024
FILE_LIMIT: Final = 256 * 1024 * 1024
PIECE: Final = 64 * 1024
LEAST_SECONDS: Final = 0.01
CONNECTIONS: Final = 32
NO_REACH: Final = "The exchange cannot be reached."
NO_ANSWER: Final = "The exchange did not answer in time, or not to the end."
# What a proxy in front of the exchange sees, and what it may compress with.
HEADERS: Final = {"User-Agent": "countersign", "Accept-Encoding": "gzip", "Accept": "application/json"}


CALLS: Final = Counter(
    "countersign_exchange_calls_total",
    "Calls to real exchanges, by what came of them: `not_sent` never left, `lost` was never answered.",
    {"result": ("good", "not_sent", "lost", *(each.name.lower() for each in Meaning))},
)
TOOK: Final = Histogram("countersign_exchange_seconds", "How long an exchange took to answer, or was waited for.")


def send(
    url: str,
    path: str,
    *,
    verb: str = "POST",
    query: str = "",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    seconds: float = SECONDS,
    limit: int = JSON_LIMIT,
) -> tuple[bytes, str, int]:
    """Send one request and read its whole answer: its bytes, unpacked; its media type; its HTTP status.

    `path` is what is signed, from `/0/` on. Raises: NotSent if no connection came about; AnswerLost if it was sent and
    the answer did not come within `seconds`, is longer than `limit`, or broke off.
    """
    began = time.monotonic()
    try:
        with root(f"exchange {path.rpartition('/')[2]}") as span:
            answer = _sent(url, path, verb=verb, query=query, body=body, headers=headers, seconds=seconds, limit=limit)
            span.note({"http.response.status_code": answer[2]})
        return answer
    except NotSent:
        CALLS.add("not_sent")
        raise
    except AnswerLost:
        CALLS.add("lost")
        raise
    finally:
        TOOK.observe(time.monotonic() - began)


def _sent(
    url: str,
    path: str,
    *,
    verb: str,
    query: str,
    body: bytes | None,
    headers: dict[str, str] | None,
    seconds: float,
    limit: int,
) -> tuple[bytes, str, int]:
    ends = time.monotonic() + seconds
    target = f"{path}?{query}" if query else path
    try:
        response = _pool(url).urlopen(
            verb,
            target,
            body=body,
            headers={**HEADERS, **(headers or {})},
            timeout=Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds, total=seconds),
            retries=Retry(0, redirect=False, raise_on_redirect=False, raise_on_status=False),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
    except (HTTPError, OSError) as error:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        raise NotSent(NO_REACH) if _came_before_sending(reason) else AnswerLost(NO_ANSWER) from error
    is_whole = False
    try:
        content = _content(cast("urllib3.HTTPResponse", response), ends, limit)
        is_whole = True
    except (HTTPError, OSError, ValueError) as error:
        raise AnswerLost(NO_ANSWER) from error
    finally:
        if is_whole:
            response.release_conn()
        else:
            # What is left of it would be read as the next call's answer.
            response.close()
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return content, media_type, response.status


def _came_before_sending(error: Exception | None) -> bool:
    """Whether no connection came about. TLS may also break an answer off; a wrong certificate lets nothing out."""
    if isinstance(error, SSLError):
        return any(isinstance(cause, SSLCertVerificationError) for cause in (*error.args, error.__cause__))
    return isinstance(error, NewConnectionError | ConnectTimeoutError)


def _content(response: urllib3.HTTPResponse, ends: float, limit: int) -> bytes:
    """The whole body. Raises: HTTPError, OSError or ValueError where it is too long, too slow, or broken."""
    pieces: list[bytes] = []
    size = 0
    # A body that stops in the middle is given up when the whole time is over, not when a wait of its own is.
    socket = getattr(response.connection, "sock", None)
    if socket is not None:
        socket.settimeout(max(LEAST_SECONDS, ends - time.monotonic()))
    while piece := response.read1(PIECE, decode_content=True):
        size += len(piece)
        if size > limit:
            raise ValueError("longer than is read")
        if time.monotonic() > ends:
            raise TimeoutError("slower than is waited for")
        pieces.append(piece)
    said = response.headers.get("Content-Length", "")
    if said.isdecimal() and response.length_remaining not in (0, None):
        raise ValueError("shorter than it said")
    return b"".join(pieces)


@lru_cache(maxsize=16)
def _pool(url: str) -> urllib3.HTTPConnectionPool:
    # Environment variables name no proxy here: only `url` is ever spoken to.
    pool: urllib3.HTTPConnectionPool = urllib3.connection_from_url(url, maxsize=CONNECTIONS, block=False)
    return pool
