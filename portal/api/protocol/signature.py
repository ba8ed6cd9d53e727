"""API-Sign: what it should be for a call, and whether the call carries it. Pure.

The scheme is the protocol's (reference §2): HMAC-SHA512 under the secret over the path and SHA-256(nonce + body).
"""

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import Final

LENGTH: Final = 64


def compute(keyed: hmac.HMAC, *, path: str, nonce: str, body: bytes) -> bytes:
    """The 64 bytes that API-Sign must hold, from an HMAC-SHA512 keyed with the secret. `body` is what was sent."""
    mac = keyed.copy()
    mac.update(path.encode() + sha256(nonce.encode() + body).digest())
    return mac.digest()


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
