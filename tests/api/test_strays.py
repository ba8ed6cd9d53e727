"""Programs with a wrong base URL: an answer that their author can read, and nothing else for people."""

import io
import json

import pytest
from django.test import Client

from portal.api.middleware import bot_api

pytestmark = pytest.mark.django_db
UNKNOWN = {"error": ["EGeneral:Unknown method"]}
PROGRAM = {"Accept": "*/*"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}


def nothing_else(environ, start_response):
    raise AssertionError(environ["PATH_INFO"])


@pytest.mark.parametrize("path", ["//0/private/Balance", "///0/public/Time", "/0", "//0"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_what_is_nearly_the_api_is_answered_by_it(path, verb):
    """fault bots-A14: a base URL with a slash at its end got a page for people."""
    answer = Client().generic(verb, "/", PATH_INFO=path, secure=True)
    assert (answer.status_code, answer.headers["Content-Type"], answer.json()) == (200, "application/json", UNKNOWN)
    told = []
    environ = {
        "REQUEST_METHOD": verb, "PATH_INFO": path, "QUERY_STRING": "", "CONTENT_LENGTH": "0",
        "REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "localhost", "SERVER_PORT": "443", "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(),
    }  # fmt: skip

    def start_response(status, headers, exc_info=None):
        told.append(status)
        return told.append

    body = b"".join(bot_api(nothing_else)(environ, start_response))
    assert (told, json.loads(body)) == (["200 OK"], UNKNOWN)


@pytest.mark.parametrize("path", ["/", "/private/Balance", "/v2/", "/members/"])
def test_a_program_outside_the_api_reads_the_envelope(path):
    """fault bots-A14"""
    for headers in (PROGRAM, {"Accept": "application/json"}, {"API-Key": "x"}):
        answer = Client().get(path, headers=headers, secure=True)
        assert (answer.status_code, answer.json()) == (404, UNKNOWN)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_program_that_wants_a_socket_reads_words():
    """fault bots-A14"""
    answer = Client().get("/", headers={"Upgrade": "websocket", "Connection": "Upgrade"}, secure=True)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert b"There is no WebSocket here: connect to /v2." in answer.content


@pytest.mark.parametrize("headers", [{}, BROWSER, PROGRAM, {"Upgrade": "websocket", "Connection": "Upgrade"}])
def test_a_plain_request_where_sockets_open_is_told_so(headers):
    """RFC 9110 §15.5.22: with the protocol that is asked for; signed in or not, no page comes of it."""
    for visitor in (Client().get, Client().post):
        answer = visitor("/v2", headers=headers, secure=True)
        assert (answer.status_code, answer.headers["Upgrade"], answer.headers["Connection"]) == (
            426, "websocket", "Upgrade",
        )  # fmt: skip
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert b"Bots open a WebSocket here" in answer.content


def test_people_see_their_pages(client, sign_in, owner):
    """fault bots-A14: browsers, their scripts, and whoever is signed in."""
    assert Client().get("/", headers=BROWSER, secure=True).headers["Location"].startswith("/sign-in/")
    assert Client().get("/", secure=True).headers["Location"].startswith("/sign-in/")
    assert "text/html" in Client().get("/nowhere/", headers=BROWSER, secure=True).headers["Content-Type"]
    scripted = {"Accept": "*/*", "HX-Request": "true"}
    assert Client().get("/", headers=scripted, secure=True).status_code != 404
    sign_in(client, owner)
    assert client.get("/", headers=PROGRAM).url == "/inbox/"
    assert "text/html" in client.get("/nowhere/", headers=PROGRAM).headers["Content-Type"]


@pytest.mark.parametrize("path", ["/openapi.json", "/healthz"])
def test_what_programs_come_for_stays_theirs(path):
    assert Client().get(path, headers=PROGRAM, secure=True).status_code == 200
