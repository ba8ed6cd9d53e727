"""What the door reads of a request's headers, and what it turns away unread."""

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.checks.registry import registry

from portal.application import application
from portal.core.python_check import check_python
from portal.core.web.door import headers

QUOTED = '"{}"'


class Sent(dict[str, Any]):
    """The environ of a request for a page, with what a server always says."""

    def __init__(self, **given: str) -> None:
        super().__init__(
            {
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/healthz",
                "QUERY_STRING": "",
                "REMOTE_ADDR": "127.0.0.1",
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "8000",
                "HTTP_HOST": "localhost",
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(),
                **given,
            }
        )


def answered(**given: str) -> tuple[int, dict[str, str], bytes]:
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        said.append((status, headers))
        return bytes

    body = b"".join(application(Sent(**given), start))
    status, headers = said[0]
    return int(status[:3]), dict(headers), body


def status(**given: str) -> int:
    return answered(**given)[0]


@pytest.mark.parametrize("slashes", [33, 4_000, 60_000, 300_000])
@pytest.mark.django_db
def test_a_cookie_of_backslashes_costs_nothing(slashes):
    """fault security-H1: 60,000 of them held a core for seconds, on a Python below 3.11.10."""
    began = time.perf_counter()
    assert status(HTTP_COOKIE="a=" + QUOTED.format("\\" * slashes)) == 400
    assert time.perf_counter() - began < 0.5


@pytest.mark.django_db
def test_cookies_of_4_kb_are_read_and_a_byte_more_is_not():
    """fault security-H1: header limits (IN-1), at each boundary."""
    assert status(HTTP_COOKIE="a=" + "x" * (headers.COOKIES - 2)) == 200
    assert status(HTTP_COOKIE="a=" + "x" * (headers.COOKIES - 1)) == 400
    assert status(HTTP_COOKIE="a=" + QUOTED.format("\\" * headers.BACKSLASHES)) == 200


@pytest.mark.parametrize(("name", "most"), [*headers.LONGEST.items(), ("HTTP_ANYTHING", headers.LONGEST_OTHER)])
@pytest.mark.django_db
def test_a_header_that_python_takes_apart_has_a_length(name, most):
    """fault security-H1: its brothers: Content-Type, If-Modified-Since, and whatever else is parsed."""
    assert headers.wrong_with(Sent(**{name: "x" * most})) == ""
    assert status(**{name: "x" * (most + 1)}) == 400


@pytest.mark.django_db
def test_what_is_turned_away_is_told_why_and_guarded_like_every_answer():
    _, given, body = answered(HTTP_COOKIE="a" * 5000)
    assert b"Delete the cookies of this site" in body
    assert given["Content-Security-Policy"].startswith("default-src 'none'")
    assert given["Cache-Control"] == "no-store"


def test_our_own_cookies_are_far_below():
    ours = f"{settings.SESSION_COOKIE_NAME}={'x' * 32}; {settings.CSRF_COOKIE_NAME}={'x' * 64}"
    assert len(ours) < headers.COOKIES / 10


@pytest.mark.parametrize(
    ("version", "is_slow"),
    [((3, 11, 7), True), ((3, 11, 10), False), ((3, 12, 0), True), ((3, 12, 6), False), ((3, 13, 0), False)],
)
def test_the_pythons_that_read_cookies_slowly_are_known(version, is_slow):
    """fault security-H1: 3.11.10 and 3.12.6 have it mended."""
    assert headers.has_slow_cookies(version) is is_slow


def test_the_check_informs_and_stops_nobody(monkeypatch):
    """fault security-H1: the door protects whoever has an older Python, so it says so and no more."""
    monkeypatch.setattr("portal.core.python_check.has_slow_cookies", lambda: True)
    (said,) = check_python(None)
    assert said.id == "core.I001"
    assert not said.is_serious()
    monkeypatch.setattr("portal.core.python_check.has_slow_cookies", lambda: False)
    assert check_python(None) == []


def test_the_check_is_asked_at_a_deployment():
    assert check_python in registry.get_checks(include_deployment_checks=True)


@pytest.mark.django_db
def test_what_the_door_refuses_is_answered_by_a_page():
    """fault pages-C16: with a way back, and nothing of what was sent in it."""
    code, said, body = answered(HTTP_COOKIE="a=" + "x" * headers.COOKIES)
    page = body.decode()
    assert (code, said["Content-Type"], int(said["Content-Length"])) == (400, "text/html; charset=utf-8", len(body))
    assert "Delete the cookies of this site in your browser" in page
    assert "<h1>That request cannot be read</h1>" in page
    assert "xxxx" not in page
