"""Bare HTTP against a running server: what the client libraries never send."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.api.calls import FORM, Envelope, sign

pytestmark = pytest.mark.slow


def post(portal, name: str, nonce: str, method: str = "Balance") -> tuple[int, Envelope]:
    key, secret = portal.keys[name]
    body = f"nonce={nonce}".encode()
    path = f"/0/private/{method}"
    headers = {"API-Key": key, "API-Sign": sign(secret, path, nonce, body), "Content-Type": FORM}
    with closing(HTTPConnection("127.0.0.1", portal.port, timeout=30)) as connection:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def test_of_24_connections_with_one_nonce_one_wins(portal):
    """AP-5: over real sockets."""
    # In milliseconds, as the other clients of this key count.
    nonce = str(int(time.time() * 1000))
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: post(portal, "trading-bot", nonce), range(24)))
    assert {status for status, _ in answers} == {200}
    assert sum(answer["error"] == [] for _, answer in answers) == 1
    assert sum(answer["error"] == ["EAPI:Invalid nonce"] for _, answer in answers) == 23


def raw(portal, head: str, body: bytes = b"") -> tuple[str, Envelope]:
    """Send these bytes and give the status line and envelope of the answer, though part of the body never comes."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        file = connection.makefile("rb")
        status = file.readline().decode().strip()
        length = 0
        while line := file.readline().strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        return status, json.loads(file.read(length))


START = "POST /0/private/Balance HTTP/1.1\nHost: localhost\nContent-Type: application/x-www-form-urlencoded\n"


def test_an_oversized_body_is_refused_before_it_has_come(portal):
    """AP-12: not read whole."""
    status, answer = raw(portal, START + "Content-Length: 50000000", b"nonce=1")
    assert status.startswith("HTTP/1.1 200")
    assert answer == {"error": ["EGeneral:Invalid arguments"]}


def test_a_chunked_body_is_read_or_refused_but_never_waited_for(portal):
    status, answer = raw(portal, START + "Transfer-Encoding: chunked", b"7\r\nnonce=1\r\n0\r\n\r\n")
    assert status.startswith("HTTP/1.1 200")
    assert answer["error"] in (["EAPI:Invalid key"], ["EGeneral:Invalid arguments"])


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_verbs_get_an_envelope_too(portal, verb):
    status, answer = raw(portal, f"{verb} /0/private/Balance HTTP/1.1\nHost: localhost")
    assert status.startswith("HTTP/1.1 200")
    assert answer == {"error": ["EGeneral:Unknown method"]}


def whole(portal, bytes_: bytes) -> bytes:
    """All that comes back for these bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as connection:
        connection.sendall(bytes_)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "path",
    ["/sign-in/", "/inbox/", "/no/such/page", "/static/css/base.css", "/0/public/Time", "/0/private/Balance", "/v2"],
)
def test_no_answer_names_its_server(portal, path):
    """WB-12: no server/version header, whichever part of the portal answers; TRACE is 405 or an envelope."""
    for verb in ("GET", "TRACE"):
        answer = whole(portal, f"{verb} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = answer.partition(b"\r\n\r\n")[0].decode().lower()
        assert "\r\nserver: \r\n" in head + "\r\n", head
        assert not any(name in head for name in ("granian", "python", "django", "x-powered-by", "via:")), head
        if verb == "TRACE" and not path.startswith("/0/"):
            assert head.startswith(("http/1.1 405", "http/1.1 404", "http/1.1 302", "http/1.1 426")), head


def test_what_is_no_request_is_not_answered_with_a_name(portal):
    """WB-12: also where nothing of ours is asked."""
    for nonsense in (b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"):
        assert b"granian" not in whole(portal, nonsense).lower()
