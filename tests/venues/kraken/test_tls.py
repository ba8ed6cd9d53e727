"""What TLS does to a call: with a wrong certificate nothing leaves, and what breaks later may have been done."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.venues.kraken.upstream import transport
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent

PATH = "/0/private/Withdraw"
Say = Callable[[ssl.SSLSocket], None]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """One for 127.0.0.1 that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exchange.example.test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "exchange.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


class Exchange:
    """Takes one connection after the other; `asked` holds what came over each, `say` what it does then."""

    def __init__(self, certificate: Path) -> None:
        self.asked: list[bytes] = []
        self.say: Say = lambda raw: None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as raw:
                    heard = b""
                    while not heard.endswith(b"nonce=1") and (piece := raw.recv(65536)):
                        heard += piece
                    self.asked.append(heard)
                    self.say(raw)
            except OSError:
                plain.close()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def exchange(certificate) -> Iterator[Exchange]:
    running = Exchange(certificate)
    yield running
    running.close()


def test_a_wrong_certificate_lets_nothing_out(exchange):
    """IN-5: whoever answers in the exchange's place is told nothing."""
    with pytest.raises(NotSent):
        transport.send(exchange.url, PATH, body=b"nonce=1", seconds=5)
    assert b"nonce" not in b"".join(exchange.asked)


def garbles(raw: ssl.SSLSocket) -> None:
    """Break the layer below: what comes is no record of TLS."""
    bare = socket.socket(fileno=raw.detach())
    bare.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    bare.close()


def cuts(raw: ssl.SSLSocket) -> None:
    socket.socket(fileno=raw.detach()).close()


@pytest.mark.parametrize("say", [garbles, cuts])
def test_what_breaks_after_it_was_sent_may_have_been_done(exchange, certificate, monkeypatch, say):
    """CR-13: taken for not sent, a withdrawal would be sent again."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    transport._pool.cache_clear()
    exchange.say = say
    with pytest.raises(AnswerLost):
        transport.send(exchange.url, PATH, body=b"nonce=1", seconds=5)
    assert b"nonce=1" in b"".join(exchange.asked)
