"""Bare handshakes against running servers of sockets: who comes in, and what none of them is given."""

import base64
import json
import os
import socket
import struct
from urllib.parse import urlsplit

import pytest

from tests.clients.streams.conftest import serving_sockets
from tests.running import free_port

pytestmark = pytest.mark.slow


class Raw:
    """One connection, as a browser or anything else would make it."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        assert at.port is not None
        self.connection = socket.create_connection(("127.0.0.1", at.port), timeout=10)
        self.file = self.connection.makefile("rb")

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.connection.close()

    def ask(self, path: str, **headers: str) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer."""
        said = {"Host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
        self.connection.sendall("\r\n".join(lines).encode())
        status = int(self.file.readline().split()[1])
        answered = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            answered[name.lower()] = value.strip()
        return status, answered

    def upgrade(self, path: str = "/v2", **more: str) -> tuple[int, dict[str, str]]:
        key = base64.b64encode(os.urandom(16)).decode()
        wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
        return self.ask(path, **wanted, Sec_WebSocket_Key=key, **more)

    def send(self, text: str) -> None:
        data = text.encode()
        head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(data))
        self.connection.sendall(head + bytes(4) + data)

    def frame(self) -> tuple[int, bytes]:
        """Its kind and what is in it."""
        kind, length = self.file.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", self.file.read(2))
        return kind & 0x0F, self.file.read(length)

    def answer(self, **message: object) -> dict[str, object]:
        """The answer to one message, whatever else comes before it."""
        self.send(json.dumps({**message, "req_id": 1}))
        while True:
            kind, data = self.frame()
            assert kind == 1, data
            said: dict[str, object] = json.loads(data)
            if said.get("req_id") == 1:
                return said


@pytest.mark.parametrize("path", ["/", "/v2/", "/v1", "/%76%32", "/inbox/", "/0/public/Time", "//v2"])
def test_no_other_path_opens_a_socket(socket_url, path):
    with Raw(socket_url) as raw:
        status, _ = raw.upgrade(path)
    assert status == 403


def test_a_plain_request_is_told_that_sockets_open_here(socket_url):
    with Raw(socket_url) as raw:
        status, headers = raw.ask("/v2")
    assert (status, headers["upgrade"]) == (426, "websocket")


def test_a_handshake_gives_no_cookie_and_names_no_server(socket_url):
    """WB-12, WB-11."""
    with Raw(socket_url) as raw:
        status, headers = raw.upgrade(Cookie="__Host-session=x; csrftoken=y")
        assert status == 101
        assert "set-cookie" not in headers
        assert headers.get("server", "") == ""
        assert "sec-websocket-extensions" not in headers
        kind, data = raw.frame()
        assert (kind, json.loads(data)["channel"]) == (1, "status")


@pytest.mark.parametrize("origin", ["http://localhost:8000", "https://evil.example", "null"])
def test_a_page_of_a_browser_gets_what_anybody_gets(socket_url, origin):
    """WB-11: whatever origin and cookies it comes with, a socket has the powers of the token in its messages alone."""
    private = {"method": "subscribe", "params": {"channel": "balances"}}
    with Raw(socket_url) as raw, Raw(socket_url) as stranger:
        assert raw.upgrade(Origin=origin, Cookie="__Host-session=x")[0] == stranger.upgrade()[0] == 101
        refused, told = raw.answer(**private), stranger.answer(**private)
        assert refused["success"] is told["success"] is False
        assert refused["error"] == told["error"]


@pytest.mark.parametrize(
    "sent",
    ["", "x", "[]", "null", "1", "{}", '{"method":1}', '{"method":"subscribe","params":[]}', '{"method":"nonsense"}'],
)
def test_nonsense_is_an_error_and_the_socket_goes_on(socket_url, sent):
    with Raw(socket_url) as raw:
        assert raw.upgrade()[0] == 101
        raw.send(sent)
        assert raw.answer(method="ping")["method"] == "pong"


def test_two_processes_share_one_port(portal):
    """As the guide offers; each of them imports the portal inside its event loop, and ends with its parent."""
    port = free_port()
    with serving_sockets(portal, port, "--workers", "2") as parent:
        for _ in range(8):
            with Raw(f"ws://127.0.0.1:{port}") as raw:
                assert raw.upgrade()[0] == 101
                assert raw.answer(method="ping")["method"] == "pong"
        parent.terminate()
        parent.wait(30)
    with pytest.raises(ConnectionRefusedError):
        Raw(f"ws://127.0.0.1:{port}")
