"""What an authenticator app shows (RFC 6238)."""

import base64
import hashlib
import hmac
import struct
from typing import Final

# Seconds for which a code is shown.
STEP: Final = 30


def totp(seed: str, step: int) -> str:
    """The code of that step, from a seed as base32."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    mac = hmac.digest(key, struct.pack(">Q", step), hashlib.sha1)
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"
