"""Secrets of the peers' keys, sealed by Fernet under the key in BENCHMARK_SEALING_KEY."""

import os

from cryptography.fernet import Fernet


def seal(secret: bytes) -> str:
    """As it stands in the table of keys."""
    return _fernet().encrypt(secret).decode()


def unseal(sealed: str) -> bytes:
    """The secret again. Raises: InvalidToken."""
    return _fernet().decrypt(sealed.encode())


def _fernet() -> Fernet:
    return Fernet(os.environ["BENCHMARK_SEALING_KEY"])
