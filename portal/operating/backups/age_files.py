"""Streams sealed to age public keys (age-encryption.org/v1): a block at a time, whatever their length."""

import hashlib
from pathlib import Path
from typing import Final, Protocol

import pyrage

from portal.operating.backups.failures import Failed

BLOCK: Final = 64 * 1024
PRIVATE: Final = "AGE-SECRET-KEY-"


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class Writable(Protocol):
    def write(self, data: bytes, /) -> int | None:
        """Take all of it."""


class Counted:
    """A stream that is passed on while its length and SHA-256 are taken. `failed` is what its other end ran into."""

    def __init__(self, *, source: Readable | None = None, sink: Writable | None = None) -> None:
        self._source, self._sink = source, sink
        self._hash = hashlib.sha256()
        self.size = 0
        self.failed: OSError | None = None

    @property
    def sha256(self) -> str:
        """Of what has passed so far, as 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def read(self, size: int = -1, /) -> bytes:
        """Pass on what the source gives."""
        assert self._source is not None  # noqa: S101 - it was made to be read
        try:
            return self._passed(self._source.read(size))
        except OSError as error:
            self.failed = error
            raise

    def write(self, data: bytes, /) -> int:
        """Pass it on to the sink, if there is one."""
        try:
            if self._sink is not None:
                self._sink.write(data)
        except OSError as error:
            self.failed = error
            raise
        return len(self._passed(data))

    def flush(self) -> None:
        """Nothing is kept back."""

    def _passed(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.size += len(data)
        return data


def recipients(text: str) -> list[str]:
    """The public keys in a text, by comma.

    Raises: Failed for one that is none.
    """
    found = [each.strip() for each in text.split(",") if each.strip()]
    for each in found:
        _recipient(each)
    return found


def seal(source: Counted, sink: Counted, to: list[str]) -> None:
    """Pass all of `source` on to `sink`, sealed to the public keys; as it is where there are none.

    Raises: OSError where an end of it fails, Failed where sealing itself does.
    """
    try:
        if to:
            pyrage.encrypt_io(source, sink, [_recipient(each) for each in to])
        else:
            _copy(source, sink)
    except pyrage.EncryptError as error:
        raise source.failed or sink.failed or Failed(f"Sealing failed: {error}") from error
    # pyrage 1.4 says nothing of the last block, if that could not be written.
    if sink.failed:
        raise sink.failed


def open_sealed(source: Counted, sink: Counted, identities: "list[pyrage.x25519.Identity]") -> None:
    """Pass on what was sealed; as it is where there are no identities.

    Raises: pyrage.DecryptError where none of them opens it; OSError for what is not as it was sealed, or too short,
    when all before the place was passed on already.
    """
    if identities:
        pyrage.decrypt_io(source, sink, identities)
    else:
        _copy(source, sink)
    if sink.failed:
        raise sink.failed


def read_identities(path: Path) -> "list[pyrage.x25519.Identity]":
    """The private keys in a file as `age-keygen` writes it.

    Raises: Failed where there is none.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        found = [pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.strip().startswith(PRIVATE)]
    except (OSError, ValueError, pyrage.IdentityError) as error:
        raise Failed(f"{path} cannot be read as a private key of age.") from error
    if not found:
        raise Failed(f"{path} holds no private key of age (a line {PRIVATE}1…).")
    return found


def _copy(source: Counted, sink: Counted) -> None:
    while block := source.read(BLOCK):
        sink.write(block)


def _recipient(text: str) -> "pyrage.x25519.Recipient":
    if text.upper().startswith(PRIVATE):
        # What is said here ends in a journal.
        raise Failed(
            "PORTAL_BACKUP_RECIPIENT holds a private key, which opens: age-keygen -y FILE prints the public one."
        )
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise Failed(f"PORTAL_BACKUP_RECIPIENT: {text[:80]!r} is no public key of age (age1…).") from error
