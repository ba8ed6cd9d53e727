"""A small exchange of the tests' own: says what it is told to, and remembers what it was asked."""

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from accounts.models import Account
from portal.core.secrets.sealing import seal
from portal.venues.kraken.models import Connection, Credential, Purpose, place_of
from tests.venues.conftest import open_account

SECRET = b64encode(b"k" * 64).decode()


class Exchange:
    """Answers each path by `says`, which writes the whole answer; `asked` and `bodies` hold what came, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.says: Callable[[BaseHTTPRequestHandler], None] = answering(b'{"error":[],"result":{}}')

    def nonces(self) -> list[int]:
        """The nonces of all calls, in the order they came."""
        return [int(fields["nonce"]) for _, fields in self.asked]


def answering(
    body: bytes, *, status: int = 200, media_type: str = "application/json", headers: dict[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler], None]:
    """One whole answer."""

    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", media_type)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return say


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fields = {name: values[0] for name, values in parse_qs(content.decode()).items()}
            running.asked.append((self.path, fields))
            running.bodies.append(content)
            running.says(self)

        def do_GET(self) -> None:
            running.asked.append((self.path, {}))
            running.bodies.append(b"")
            running.says(self)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Who gave a call up has hung up, which is what some tests are about.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    running = Exchange(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connected(exchange, settings, db) -> Account:
    """An Account at that exchange, with a credential for withdrawals and one for the rest."""
    settings.EXCHANGES = [f"Test={exchange.url}"]
    account: Account = open_account()
    Account.objects.filter(pk=account.pk).update(venue="kraken")
    account.refresh_from_db()
    Connection.objects.create(account=account, exchange="Test", connected_at=timezone.now())
    for purpose in Purpose:
        credential(account, purpose)
    return account


def credential(account: Account, purpose: Purpose, **given: Any) -> Credential:
    """One that is active; its secret is `SECRET`."""
    public = f"{purpose.value}-{account.pk}-{Credential.objects.count()}"
    return Credential.objects.create(
        organization=account.organization,
        account=account,
        exchange="Test",
        purpose=purpose,
        label=f"{purpose.label} of the tests",
        public=public,
        sealed_secret=seal(SECRET.encode(), place=place_of(public)),
        proposed_at=timezone.now(),
        activated_at=timezone.now(),
        **given,
    )
