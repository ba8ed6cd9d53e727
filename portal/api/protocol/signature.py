"""API-Sign: whether a call carries the signature that it should. Pure."""

import hmac
from binascii import a2b_base64
from typing import Final

from portal.core.secrets.request_signature import compute

__all__ = ["compute", "matches"]

LENGTH: Final = 64
NONE: Final = bytes(LENGTH)


def matches(keyed: hmac.HMAC, claimed: str, *, path: str, nonce: str, body: bytes) -> bool:
    """Whether the header `claimed` is that signature. Bad base64 and a wrong length count as a wrong one."""
    expected = compute(keyed, path=path, nonce=nonce, body=body)
    return hmac.compare_digest(expected, _decode(claimed))


def _decode(claimed: str) -> bytes:
    try:
        given = a2b_base64(claimed, strict_mode=True)
    except ValueError:  # not base64, or not even ASCII
        given = b""
    return given if len(given) == LENGTH else NONE
