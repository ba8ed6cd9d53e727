"""Bodies that never come, over real sockets against the server of `make run`: nobody else notices."""

import socket
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest
from django.conf import settings

from tests.clients.test_socket import START, post, raw, whole

pytestmark = pytest.mark.slow
HALF = {
    "a bot's": START.replace("\n", "\r\n").encode() + b"Content-Length: 5000\r\n\r\nnonce=1",
    "a page's": b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 5000\r\n\r\nemail=x",
    "an endless": START.replace("\n", "\r\n").encode() + b"Transfer-Encoding: chunked\r\n\r\n7\r\nnonce=1\r\n",
}


def healthz(portal) -> int:
    with closing(HTTPConnection("127.0.0.1", portal.port, timeout=5)) as connection:
        connection.request("GET", "/healthz")
        return connection.getresponse().status


def hold(portal, stack: ExitStack, start: bytes, count: int) -> list[socket.socket]:
    held = [stack.enter_context(socket.create_connection(("127.0.0.1", portal.port), timeout=30)) for _ in range(count)]
    for connection in held:
        connection.sendall(start)
    return held


@pytest.mark.parametrize("kind", HALF)
def test_forty_half_bodies_hold_nobody_up(portal, kind):
    """fault security-M7: ten of them stopped everything, for as long as they liked."""
    with ExitStack() as stack:
        held = hold(portal, stack, HALF[kind], 40)
        time.sleep(1)
        began = time.monotonic()
        for _ in range(5):
            status, answer = post(portal, "trading-bot", str(int(time.time() * 1000)))
            assert (status, answer["error"]) == (200, [])
            assert healthz(portal) == 200
        assert (
            b" 200 OK" in whole(portal, b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")[:20]
        )
        assert time.monotonic() - began < 5
        for connection in held:
            # Cut off at the deadline, with an answer in the words of whom they called.
            said = connection.makefile("rb").read()
            assert said.startswith(b"HTTP/1.1 408" if kind == "a page's" else b"HTTP/1.1 200"), said[:80]
        assert time.monotonic() - began < settings.BODY_DEADLINE + 5


def test_one_source_has_so_many_slow_bodies_and_no_more(portal):
    """fault security-M7: they hold no thread, but memory; a bot that sends its body at once is never among them."""
    with ExitStack() as stack:
        hold(portal, stack, HALF["a bot's"], settings.SLOW_BODIES_OF_SOURCE)
        time.sleep(settings.BODY_AT_ONCE + 1)
        began = time.monotonic()
        (one_more,) = hold(portal, stack, HALF["a bot's"], 1)
        assert one_more.recv(65536).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < settings.BODY_DEADLINE / 2
        status, answer = post(portal, "trading-bot", str(int(time.time() * 1000)))
        assert (status, answer["error"]) == (200, [])


@pytest.mark.parametrize(
    "path", ["/0/private/%42alance", "/%30/private/Balance", "/0%2Fprivate/Balance", "/0/private/Balance%00"]
)
def test_the_path_of_a_call_is_written_in_one_way(portal, path):
    """fault security-L10: percent-encoded, it passed by what a proxy says of `/0/`."""
    status, answer = raw(portal, f"POST {path} HTTP/1.1\nHost: localhost\nContent-Length: 7", b"nonce=1")
    assert status.startswith("HTTP/1.1 200")
    assert answer == {"error": ["EGeneral:Unknown method"]}


def test_more_headers_than_the_server_reads_are_refused_at_once(portal):
    """fault security-H1: 16 kB, where it was 400 kB."""
    began = time.monotonic()
    answer = whole(portal, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431"), answer[:80]
    assert time.monotonic() - began < 2


def test_http_2_with_limits_of_its_own_is_not_spoken(portal):
    """fault security-H1: its headers had a limit of 16 MB."""
    assert b"HTTP/2" not in whole(portal, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


def test_a_cookie_of_backslashes_holds_nobody_up(portal):
    """fault security-H1."""
    with ExitStack() as stack:
        cookie = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: a="' + b"\\" * 15_000 + b'"\r\n\r\n'
        held = hold(portal, stack, cookie, 8)
        began = time.monotonic()
        status, answer = post(portal, "trading-bot", str(int(time.time() * 1000)))
        assert (status, answer["error"]) == (200, [])
        assert time.monotonic() - began < 2
        assert all(connection.recv(4096).startswith(b"HTTP/1.1 400") for connection in held)


def test_a_header_with_an_underscore_is_not_the_one_with_a_hyphen(portal):
    """fault security-L11: `X_Forwarded_For` stood in the place of what the proxy says; here of a key."""
    key, _ = portal.keys["trading-bot"]
    head = START + "Content-Length: 7\n" + "API_Key: " + key
    assert raw(portal, head, b"nonce=1")[1] == {"error": ["EAPI:Invalid key"]}
    with_hyphen = START + "Content-Length: 7\n" + "API-Key: " + key
    assert raw(portal, with_hyphen, b"nonce=1")[1] != {"error": ["EAPI:Invalid key"]}
