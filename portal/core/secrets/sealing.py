"""Random tokens, digests, and sealing of the few secrets that must be read back.

Sealing is AES-256-GCM. The text is `key id.nonce.ciphertext`; the associated data names table, column and row, so
that a sealed value copied to another place does not open.
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from itertools import pairwise

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
# Before the name of a key that every node has to know before the first one seals under it.
ONLY_OPENS = "-"
NONCE_BYTES = 12
# Of 32 random bytes more than 20 differ, and so do their steps: less happens once in more than 2^60 draws.
FEWEST_BYTES = FEWEST_STEPS = 16
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class SealBroken(Exception):
    """A sealed value does not belong where it stands, or its key is not among PORTAL_SEALING_KEYS."""


def token(length: int) -> str:
    """A random name of `length` letters and digits (5 bits each) that nobody misreads aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def digest(text: str) -> str:
    """SHA-256 of `text` as 64 hexadecimal digits, for tokens that are themselves random."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse_sealing_keys(text: str) -> dict[str, bytes]:
    """Read `id:base64,id:base64`; the first one seals, all of them open. One written `-id:base64` only opens.

    Raises: ImproperlyConfigured if an id or a key is missing, doubled, or not 32 bytes.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, encoded = part.removeprefix(ONLY_OPENS).partition(":")
        try:
            key = urlsafe_b64decode(encoded.encode() + b"=" * (-len(encoded) % 4))
        except ValueError:
            key = b""
        if not name.isalnum() or name in keys or len(key) != KEY_BYTES:
            entry = repr(name) if name else "an entry"
            raise ImproperlyConfigured(f"PORTAL_SEALING_KEYS: {entry} needs a name and 32 bytes in base64.")
        keys[name] = key
    if not keys:
        raise ImproperlyConfigured("PORTAL_SEALING_KEYS is empty: give at least one key as name:base64.")
    if text.strip().startswith(ONLY_OPENS):
        raise ImproperlyConfigured("PORTAL_SEALING_KEYS: the first key seals, so it cannot be one that only opens.")
    return keys


def seal(plain: bytes, *, place: str, key: str = "") -> str:
    """Seal `plain` for `place` (`table.column:row`), under the first of PORTAL_SEALING_KEYS unless `key` names one."""
    name = key or sealing_key()
    nonce = secrets.token_bytes(NONCE_BYTES)
    box = AESGCM(_keys()[name]).encrypt(nonce, plain, place.encode())
    return f"{name}.{_encode(nonce)}.{_encode(box)}"


def unseal(sealed: str, *, place: str) -> bytes:
    """Open what `seal` made for the same `place`.

    Raises: SealBroken if it was sealed elsewhere, altered, or its key is unknown.
    """
    try:
        name, nonce, box = sealed.split(".")
        return AESGCM(_keys()[name]).decrypt(_decode(nonce), _decode(box), place.encode())
    except (ValueError, KeyError, InvalidTag) as error:
        raise SealBroken(f"The sealed value at {place} does not open.") from error


def sealing_key() -> str:
    """The name of the key that seals now."""
    return next(iter(_keys()))


def key_names() -> tuple[str, ...]:
    """The names of all keys here, those included that only open."""
    return tuple(_keys())


def weak_keys(text: str) -> list[str]:
    """The names of keys that nobody drew at random: too few different bytes, or a run of them."""
    return [name for name, key in parse_sealing_keys(text).items() if not _is_drawn(key)]


@lru_cache(maxsize=8)
def derived_key(purpose: str) -> bytes:
    """32 bytes for another use of the oldest sealing key, so that no key serves two purposes (RFC 5869)."""
    oldest = _keys()[oldest_key()]
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(oldest)


def oldest_key() -> str:
    """The name of the key that others are derived from: the last of those that do not only open."""
    parts = [part.strip() for part in str(settings.SEALING_KEYS).split(",")]
    return [part.partition(":")[0] for part in parts if part and not part.startswith(ONLY_OPENS)][-1]


@lru_cache(maxsize=1)
def _keys() -> dict[str, bytes]:
    return parse_sealing_keys(settings.SEALING_KEYS)


def _is_drawn(key: bytes) -> bool:
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    return len(set(key)) >= FEWEST_BYTES and len(steps) >= FEWEST_STEPS


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
