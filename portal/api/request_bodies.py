"""The exact bytes of a call's body, read only if it is needed and not too long."""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.conf import settings

LENGTH: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most `size` bytes of the body; none at its end."""


def body_of(meta: Mapping[str, Any], stream: Stream) -> bytes | None:
    """What was sent, by the WSGI variables `meta`; None if it is more than the limit, or not as much as announced."""
    announced = meta.get("CONTENT_LENGTH") or ""
    if announced:
        length = int(announced) if LENGTH.fullmatch(announced) else settings.API_BODY_LIMIT + 1
        if length > settings.API_BODY_LIMIT:
            return None
        return exactly(stream, length)
    if "HTTP_TRANSFER_ENCODING" not in meta:
        return b""
    if not meta.get("wsgi.input_terminated"):
        return None  # this server would not tell where the body ends
    body = _read(stream, settings.API_BODY_LIMIT + 1)
    return body if len(body) <= settings.API_BODY_LIMIT else None


def exactly(stream: Stream, length: int) -> bytes | None:
    """So many bytes; None if there are fewer."""
    body = stream.read(length)
    if len(body) < length:
        body += _read(stream, length - len(body))
    return body if len(body) == length else None


def _read(stream: Stream, size: int) -> bytes:
    """Up to `size` bytes; a stream may hand them over in pieces."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
