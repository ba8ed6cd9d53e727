"""A proxy of our own with TLS in front of a portal, and the faults that one may have."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HSTS = "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload"


@dataclass
class Faults:
    """What it does; by default as nginx does with the file of the guide."""

    forwards_for: str = "{peer}"
    keeps_stranger: bool = False
    says_scheme: bool = True
    keeps_host: bool = True
    keeps_underscores: bool = False
    upgrades: bool = True
    adds: tuple[str, ...] = (HSTS,)
    redirects: str = ""
    protocols: tuple[str, ...] = ("h2", "http/1.1")
    asked: list[str] = field(default_factory=list)


@contextmanager
def in_front_of(port: int, certificate: Path | None, faults: Faults) -> Iterator[int]:
    """Its port; without a certificate it speaks no TLS."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                wire, (peer, _) = listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=_serve, args=(wire, peer, port, certificate, faults))
            thread.start()
            threads.append(thread)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
        for thread in threads:
            thread.join()


def _serve(plain: socket.socket, peer: str, port: int, certificate: Path | None, faults: Faults) -> None:
    with plain, suppress(OSError):
        plain.settimeout(10)
        wire = plain
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.set_alpn_protocols(list(faults.protocols))
            wire = context.wrap_socket(plain, server_side=True)
        with wire:
            _answer(wire, peer, port, faults, is_sealed=certificate is not None)


def _answer(wire: socket.socket, peer: str, port: int, faults: Faults, *, is_sealed: bool) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        part = wire.recv(65536)
        if not part:
            return
        head += part
    first, *lines = head.split(b"\r\n\r\n")[0].decode().split("\r\n")
    path = first.split()[1]
    faults.asked.append(path)
    if faults.redirects and path.startswith(faults.redirects):
        answer = f"HTTP/1.1 301 Moved\r\nLocation: https://localhost{path}\r\nContent-Length: 0\r\n\r\n"
        wire.sendall(answer.encode())
        return
    with socket.create_connection(("127.0.0.1", port), timeout=10) as portal:
        portal.sendall("\r\n".join([first, *_headers(lines, peer, faults, is_sealed=is_sealed), "", ""]).encode())
        _hand_back(portal, wire, faults)


def _headers(lines: list[str], peer: str, faults: Faults, *, is_sealed: bool) -> list[str]:
    dropped = {
        *(() if faults.keeps_stranger else ("x-forwarded-for",)),
        *(() if faults.upgrades else ("connection", "upgrade")),
        *(() if faults.keeps_host else ("host",)),
    }
    names = {line: line.partition(":")[0].lower() for line in lines}
    kept = [
        line for line, name in names.items() if name not in dropped and (faults.keeps_underscores or "_" not in name)
    ]
    if not faults.keeps_host:
        kept.append("Host: localhost")
    if not any(line.lower().startswith("connection:") for line in kept):
        kept.append("Connection: close")
    if faults.forwards_for and not faults.keeps_stranger:
        kept.append(f"X-Forwarded-For: {faults.forwards_for.format(peer=peer)}")
    return [*kept, *([f"X-Forwarded-Proto: {'https' if is_sealed else 'http'}"] if faults.says_scheme else [])]


def _hand_back(portal: socket.socket, wire: socket.socket, faults: Faults) -> None:
    is_first = True
    while part := portal.recv(65536):
        if is_first and faults.adds:
            line, _, rest = part.partition(b"\r\n")
            part = b"\r\n".join([line, *(each.encode() for each in faults.adds), rest])
        is_first = False
        wire.sendall(part)
        if part.startswith(b"HTTP/1.1 101"):
            return
