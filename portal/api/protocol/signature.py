"""API-Sign: whether a call carries the signature that it should. Pure."""

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Final

from portal.core.secrets.request_signature import compute

__all__ = ["compute", "matches"]

LENGTH: Final = 64


def matches(keyed: hmac.HMAC, claimed: str, *, path: str, nonce: str, body: bytes) -> bool:
    """Whether the header `claimed` is that signature. Bad base64 and a wrong length count as a wrong one."""
    expected = compute(keyed, path=path, nonce=nonce, body=body)
    return hmac.compare_digest(expected, _decode(claimed))


def _decode(claimed: str) -> bytes:
    try:
        given = b64decode(claimed.encode("ascii"), validate=True)
    except (NotBase64, ValueError):
        given = b""
    return given if len(given) == LENGTH else bytes(LENGTH)
