"""A stream that is read twice: what the first reading has seen is passed on by the second, and nothing else.

A dump runs what it says while it is loaded, so it does not do to find out at its end that somebody exchanged it since.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from portal.operating.backups.age_files import Writable

BLOCK: Final = 1024 * 1024


class Changed(OSError):
    """It is not what it was when it was read first."""


class Seen:
    """The digests of a stream's blocks, in their order."""

    def __init__(self) -> None:
        self._digests: list[bytes] = []

    def first(self) -> "Blocks":
        """Where the first reading is written to."""
        return Blocks(lambda block: self._digests.append(sha256(block).digest()))

    def again(self, sink: Writable) -> "Blocks":
        """Where the second one is; it raises Changed before a block reaches `sink` that was another one."""
        expected = iter(self._digests)

        def passed(block: bytes) -> None:
            if next(expected, None) != sha256(block).digest():
                raise Changed
            sink.write(block)

        return Blocks(passed)


class Blocks:
    """What is written, handed on in blocks of one size; the last, which may be shorter, by `end`."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._held = bytearray()

    def write(self, data: bytes, /) -> int:
        """Take all of it. Raises: what taking a block does."""
        self._held += data
        while len(self._held) >= BLOCK:
            self._take(bytes(self._held[:BLOCK]))
            del self._held[:BLOCK]
        return len(data)

    def end(self) -> None:
        """Nothing more comes. Raises: what taking a block does."""
        if self._held:
            self._take(bytes(self._held))
            self._held.clear()
