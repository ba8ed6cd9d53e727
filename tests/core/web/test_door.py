"""The lines before the threads, and requests in the variables of WSGI."""

import asyncio
import threading
import time
from importlib import import_module
from typing import Any

import pytest

from portal.core.web.door import environ
from portal.core.web.door.bodies import source_of
from portal.core.web.door.environ import RAW_PATH, add_body, environ_of
from portal.core.web.door.serving import Answer, Line
from portal.core.web.security_headers import SECURITY_HEADERS

LATE, FULL = Answer(408, [], b"late"), Answer(503, [], b"full")
SCOPE: dict[str, Any] = {
    "method": "POST",
    "path": "/0/private/Bälance",
    "raw_path": b"/0/private/B%C3%A4lance",
    "query_string": b"a=1",
    "http_version": "1.1",
    "scheme": "http",
    "server": ("127.0.0.1", 8000),
    "client": ("203.0.113.7", 4711),
    "headers": [],
}


def test_one_source_waits_for_itself_and_nobody_for_it():
    """fault security-M1: a crowd from one address has its share of the threads, and half of the places at most."""
    busy, most, lock = [0], [0], threading.Lock()

    def slow(environ, start_response):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.05)
        with lock:
            busy[0] -= 1
        start_response("200 OK", [])
        return [b""]

    def quick(environ, start_response):
        start_response("200 OK", [])
        return [b"quick"]

    line = Line("test", threads=8, longest=40, late=LATE, full=FULL, of_source=2)

    async def crowd() -> tuple[list[Answer], Answer, float]:
        many = [asyncio.ensure_future(line.answer(slow, {}, "198.51.100.7")) for _ in range(30)]
        await asyncio.sleep(0.02)
        began = time.monotonic()
        other = await line.answer(quick, {}, "203.0.113.9")
        took = time.monotonic() - began
        return await asyncio.gather(*many), other, took

    answers, other, took = asyncio.run(crowd())
    assert most[0] == 2
    assert [answer.status for answer in answers].count(503) == 10
    assert other.body == b"quick"
    assert took < 0.3
    assert line.inside == 0
    assert line.callers == {}


def _asked_from(*addresses: str) -> set[str]:
    return {source_of(environ_of({**SCOPE, "client": (address, 4711)})) for address in addresses}


def test_one_machine_is_one_source_whichever_of_its_addresses_it_takes():
    """Nobody may take all places and threads from the others by asking from many addresses of their own IPv6 /64."""
    assert len(_asked_from("2001:db8:5::1", "2001:db8:5::2", "2001:db8:5:0:ffff::9")) == 1
    assert len(_asked_from("2001:db8:5::1", "2001:db8:5:1::1")) == 2
    assert len(_asked_from("203.0.113.7", "203.0.113.8", "::ffff:203.0.113.8")) == 2
    assert len(_asked_from("fe80::1%eth0", "fe80::2")) == 1
    assert _asked_from("") == {""}


def test_an_error_of_the_application_is_one_answer(caplog):
    def broken(environ, start_response):
        raise RuntimeError("the reason")

    line = Line("test", threads=1, longest=4, late=LATE, full=FULL)
    answer = asyncio.run(line.answer(broken, {}, "203.0.113.9"))
    assert answer.status == 500
    assert dict(answer.headers).items() >= SECURITY_HEADERS.items()
    assert b"reason" not in answer.body
    assert "the reason" in caplog.text


def test_only_headers_by_their_own_name_become_variables():
    """fault security-L11: WSGI writes `X_Forwarded_For` as it writes the proxy's own `X-Forwarded-For`."""
    headers = [
        (b"x-forwarded-for", b"198.51.100.9"),
        (b"X_Forwarded_For", b"192.0.2.1"),
        (b"x-forwarded_for", b"192.0.2.2"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"accept", b"x"),
        (b"accept", b"y"),
        (b"transfer-encoding", b"chunked"),
        (b"content-type", b"text/plain"),
    ]
    environ = environ_of({**SCOPE, "headers": headers})
    add_body(environ, b"body")
    assert environ["HTTP_X_FORWARDED_FOR"] == "198.51.100.9"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT"] == "x,y"
    assert environ["CONTENT_LENGTH"] == "4"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/0/private/Bälance"
    assert environ[RAW_PATH] == "/0/private/B%C3%A4lance"
    assert environ["REMOTE_ADDR"] == "203.0.113.7"


def test_no_memory_is_filled_by_names_of_headers_that_strangers_make_up():
    """A thousand names of 16 KiB each were kept by every worker, and as much again for what WSGI calls them."""
    environ._variable.cache_clear()
    name = b"x-" + b"a" * 16_000
    assert environ.environ_of({**SCOPE, "headers": [(name, b"1")]})["HTTP_X_" + "A" * 16_000] == "1"
    assert environ._variable.cache_info().currsize == 0


def test_nothing_of_this_machine_is_in_a_request(monkeypatch):
    """fault security-L12: the server put its whole environment into each, and pages of errors showed it."""
    monkeypatch.setenv("DATABASE_URL", "postgres://portal:canary@host/portal")
    assert "canary" not in repr(environ_of(SCOPE))


@pytest.mark.django_db
def test_strangers_who_ask_without_a_key_take_no_thread_from_bots():
    """Public calls of one address must not hold all threads that signed calls are answered by."""
    # It looks into the database, so only now.
    asgi = import_module("portal.asgi")
    assert asgi.line_of("/0/public/Trades") is asgi.public
    assert asgi.line_of("/0/private/Balance") is asgi.bots
    assert asgi.public.threads is not asgi.bots.threads
    assert asgi.public.of_source < asgi.bots.of_source


@pytest.mark.django_db
def test_bots_of_one_address_leave_threads_to_others():
    """Forty calls that wait for one Account's lock must not hold all threads: another Organization's bot waited 1 s."""
    bots = import_module("portal.asgi").bots
    assert 0 < bots.of_source < bots.threads.count


@pytest.mark.django_db
def test_the_watch_of_the_operator_stands_in_no_line_with_anybody():
    """Whoever watches over the portal must hear the truth while everything else is busy."""
    asgi = import_module("portal.asgi")
    assert {asgi.line_of(path) for path in ("/healthz", "/readyz", "/metrics")} == {asgi.watch}
    assert {asgi.line_of(path) for path in ("/", "/inbox/", "/healthz/", "/openapi.json")} == {asgi.pages}


@pytest.mark.django_db
def test_a_crowd_that_signs_in_leaves_the_pages_to_who_is_in(settings):
    """From however many addresses it comes: strangers have threads of their own, and few."""
    asgi = import_module("portal.asgi")
    assert {asgi.line_of(path) for path in ("/sign-in/", "/sign-in/code/", "/password/forgotten/")} == {asgi.strangers}
    assert asgi.strangers.threads.count == max(1, settings.THREADS // 4)
    assert asgi.strangers.threads.count + asgi.pages.threads.count == settings.THREADS
    assert asgi.strangers.longest < asgi.pages.longest
