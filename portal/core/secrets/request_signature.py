"""The signature of a call, as the protocol's callers make it and its servers compare it. Pure.

The scheme is the protocol's (reference §2): HMAC-SHA512 under the secret over the path and SHA-256(nonce + body).
"""

import hmac
from hashlib import sha256


def keyed_with(secret: bytes) -> hmac.HMAC:
    """HMAC-SHA512 keyed with a secret, to be copied for each call.

    OpenSSL's own object where there is one: the one around it, which can also do without OpenSSL, is run in Python.
    """
    made = hmac.new(secret, digestmod="sha512")
    return getattr(made, "_hmac", None) or made


def compute(keyed: hmac.HMAC, *, path: str, nonce: str, body: bytes) -> bytes:
    """The 64 bytes that API-Sign must hold, from an HMAC-SHA512 keyed with the secret. `body` is what is sent."""
    mac = keyed.copy()
    mac.update(path.encode() + sha256(nonce.encode() + body).digest())
    return mac.digest()
