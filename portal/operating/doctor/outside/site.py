"""One site by its address, and how it is asked: as a browser or a bot would, following nothing."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

WAITED: Final = 8.0
HTTPS: Final = 443


class WrongAddress(Exception):
    """It is no address of a site. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers in lower case, the first of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Site:
    """Where the portal is, as people see it; certificates in the file `authority` are trusted beside the system's."""

    url: str
    authority: str = ""
    plain_port: int = 80

    @property
    def host(self) -> str:
        """Its name alone."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Where it takes TLS."""
        return urlsplit(self.url).port or HTTPS

    @property
    def netloc(self) -> str:
        """What a browser says as Host."""
        return self.host if self.port == HTTPS else f"{self.host}:{self.port}"

    def context(self, *, is_trusting: bool = False, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
        """How TLS is spoken; trusting only to look further where the certificate was found wrong already."""
        context = ssl.create_default_context()
        if self.authority:
            context.load_verify_locations(self.authority)
        if is_trusting:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(list(protocols))
        return context

    def is_trusted(self) -> bool:
        """Whether its certificate holds. Nothing that proves who asks is sent where it does not."""
        try:
            with self.connected(self.context()):
                return True
        except (ssl.SSLError, OSError):
            return False

    @contextmanager
    def connected(self, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
        """A connection on which TLS is spoken."""
        with (
            socket.create_connection((self.host, self.port), timeout=WAITED) as plain,
            context.wrap_socket(plain, server_hostname=self.host) as sealed,
        ):
            yield sealed

    def ask(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET over TLS, whatever the certificate is. Raises: OSError, HTTPException."""
        context = self.context(is_trusting=not self.is_trusted())
        return _asked(
            HTTPSConnection(self.host, self.port, timeout=WAITED, context=context), path, headers, self.netloc
        )

    def ask_plainly(self, path: str) -> Answer:
        """GET without TLS. Raises: OSError, HTTPException."""
        return _asked(HTTPConnection(self.host, self.plain_port, timeout=WAITED), path, None, self.host)


def at(url: str, *, authority: str = "", plain_port: int = 80) -> Site:
    """The site of that address.

    Raises: WrongAddress.
    """
    parts = urlsplit(url)
    try:
        is_one = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        is_one = False
    if not is_one or parts.path.strip("/") or parts.query:
        raise WrongAddress(f"{url!r} is no address of a portal: write https://portal.example.com")
    if authority:
        try:
            ssl.create_default_context(cafile=authority)
        except OSError as error:
            raise WrongAddress(f"{authority} holds no certificates that can be read here: {error.strerror}") from error
    return Site(url, authority, plain_port)


def _asked(connection: HTTPConnection, path: str, headers: Mapping[str, str] | None, host: str) -> Answer:
    try:
        connection.request("GET", path, headers={"Host": host, **(headers or {})})
        response: HTTPResponse = connection.getresponse()
        given = {name.lower(): value for name, value in response.getheaders()}
        body = b"" if response.status == 101 else response.read(2**20)
        return Answer(response.status, given, body)
    finally:
        connection.close()
