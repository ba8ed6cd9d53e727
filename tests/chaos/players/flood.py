"""`python -m tests.chaos.players.flood KIND CONNECTIONS SOURCE…`: strangers at the door, until SIGTERM.

`sign-in` tries passwords of people whom nobody knows; `slow-bodies` begins calls and never ends them.
"""

import asyncio
import contextlib
import functools
import os
import re
import signal
import ssl
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from tests.serving import HOST

# Between an answer and the next try of the same connection, in seconds.
PAUSE: Final = 1.0
ANSWER_WITHIN: Final = 30.0
TOKEN: Final = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
COOKIE: Final = re.compile(rb"(?i)set-cookie: (__Host-csrf=[^;]+)")
Stranger = Callable[[str, int], Awaitable[str]]


def _head(method: str, path: str, length: int = 0, more: str = "") -> bytes:
    form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n" if length else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://{HOST}\r\n"
        f"Referer: https://{HOST}/sign-in/\r\n{form}{more}\r\n"
    ).encode()


@functools.cache
def trusting() -> ssl.SSLContext:
    """Whom strangers trust, read once: a thousand times would keep them busy with themselves."""
    return ssl.create_default_context()


async def _opened(source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, 443, ssl=trusting(), local_addr=(source, 0))


async def _answered(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The status, and all of the answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    body = await reader.readexactly(int(found[1])) if found else b""
    return head.split(b" ", 2)[1].decode(), head + body


async def try_to_sign_in(source: str, number: int) -> str:
    """One connection that asks for the form once and sends it again and again, as long as it is let."""
    reader, writer = await _opened(source)
    try:
        writer.write(_head("GET", "/sign-in/"))
        status, page = await asyncio.wait_for(_answered(reader), ANSWER_WITHIN)
        token, cookie = TOKEN.search(page), COOKIE.search(page)
        fields = {"email": f"nobody{number}@strangers.test", "password": "a wrong password of some length"}
        if token is not None:
            fields["csrfmiddlewaretoken"] = token[1].decode()
        body = urlencode(fields).encode()
        more = f"Cookie: {cookie[1].decode()}\r\n" if cookie else ""
        while True:
            await asyncio.sleep(PAUSE)
            writer.write(_head("POST", "/sign-in/", len(body), more) + body)
            status, _ = await asyncio.wait_for(_answered(reader), ANSWER_WITHIN)
            SEEN[status] += 1
    finally:
        writer.close()


async def begin_a_body(source: str, number: int) -> str:
    """One connection that says half of what it has to say, and waits to be thrown out."""
    reader, writer = await _opened(source)
    try:
        path = "/0/private/Balance" if number % 2 else "/sign-in/"
        writer.write(_head("POST", path, 200) + b"nonce=1")
        status, _ = await asyncio.wait_for(_answered(reader), 4 * ANSWER_WITHIN)
        return status
    finally:
        writer.close()


KINDS: Final[Mapping[str, Stranger]] = {"sign-in": try_to_sign_in, "slow-bodies": begin_a_body}
SEEN: Final[Counter[str]] = Counter()


async def flood(kind: str, connections: int, sources: list[str]) -> None:
    """So many at once, each begun again when it ends."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    tasks = [asyncio.create_task(_again(KINDS[kind], sources[n % len(sources)], n)) for n in range(connections)]
    await over.wait()
    sys.stdout.write(f"{dict(SEEN)}, {len(tasks)} connections\n")
    sys.stdout.flush()
    # To take leave of a thousand would take longer than they were there.
    os._exit(0)


async def _again(stranger: Stranger, source: str, number: int) -> None:
    # Not all in one moment: that many handshakes at once are a test of this program's processor.
    await asyncio.sleep(number * 0.002)
    while True:
        try:
            SEEN[await stranger(source, number)] += 1
        except (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.LimitOverrunError) as error:
            SEEN[type(error).__name__] += 1
        await asyncio.sleep(PAUSE)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(flood(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
