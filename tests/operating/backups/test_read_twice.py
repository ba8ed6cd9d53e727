"""A file that somebody exchanges between two readings: nothing of the other one goes any further."""

import io
import os
from hashlib import sha256
from pathlib import Path

import pyrage
import pytest

from portal.operating.backups import read_twice, restoring
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed
from portal.operating.backups.manifest import Facts, Manifest
from portal.operating.backups.read_twice import BLOCK, Changed, Seen
from portal.operating.backups.restoring import Wanted

KEY = pyrage.x25519.Identity.generate()


def written(sink: read_twice.Blocks, content: bytes, at_once: int) -> None:
    for place in range(0, len(content), at_once):
        sink.write(content[place : place + at_once])
    sink.end()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_the_same_comes_through_however_it_is_cut(size):
    content, seen, sink = os.urandom(size), Seen(), io.BytesIO()
    written(seen.first(), content, 65_536)
    written(seen.again(sink), content, 100_003)
    assert sink.getvalue() == content


@pytest.mark.parametrize("place", [0, BLOCK, 2 * BLOCK + 5])
def test_of_another_nothing_comes_through_from_its_block_on(place):
    content, seen, sink = os.urandom(2 * BLOCK + 10), Seen(), io.BytesIO()
    written(seen.first(), content, BLOCK)
    other = bytearray(content)
    other[place] ^= 1
    with pytest.raises(Changed):
        written(seen.again(sink), bytes(other), 65_536)
    assert sink.getvalue() == content[: place // BLOCK * BLOCK]


def test_what_is_longer_does_not_come_through():
    seen, sink = Seen(), io.BytesIO()
    written(seen.first(), b"1" * BLOCK, BLOCK)
    with pytest.raises(Changed):
        written(seen.again(sink), b"1" * BLOCK + b"2", BLOCK)
    assert sink.getvalue() == b"1" * BLOCK


def made(path: Path, content: bytes, *, is_sealed: bool) -> Manifest:
    """A backup of that content, and what its manifest says."""
    to = [KEY.to_public()]
    path.write_bytes(pyrage.encrypt(content, to) if is_sealed else content)
    return Manifest(
        file=path.name, made_at="", version="", database="", kind="postgresql", made_by="", taken_from="",
        size=path.stat().st_size, sha256=sha256(path.read_bytes()).hexdigest(),
        content_size=len(content), content_sha256=sha256(content).hexdigest(),
        sealed_to=[str(each) for each in to if is_sealed], facts=Facts({}, [], []),
    )  # fmt: skip


@pytest.mark.parametrize("is_sealed", [True, False], ids=["sealed", "plain"])
@pytest.mark.parametrize("size", [1000, 3 * BLOCK])
def test_a_backup_that_is_exchanged_after_it_was_looked_at_is_not_loaded(tmp_path, is_sealed, size):
    """Whoever may write where backups lie could wait for the moment in between."""
    path, seen, sink = tmp_path / "backup", Seen(), io.BytesIO()
    wanted = Wanted(path, [KEY] if is_sealed else [], Database(is_sqlite=False, name="x"))
    found = made(path, os.urandom(size), is_sealed=is_sealed)
    restoring._pour(wanted, found, seen.first())
    made(path, b"DROP TABLE" + bytes(size), is_sealed=is_sealed)
    with pytest.raises(Failed, match="was exchanged while it was restored"):
        restoring._pour(wanted, found, seen.again(sink))
    assert sink.getvalue() == b""


def test_whoever_ends_before_the_end_says_why_itself(tmp_path):
    class Gone(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise BrokenPipeError

    path = tmp_path / "backup"
    wanted = Wanted(path, [KEY], Database(is_sqlite=False, name="x"))
    for size in (10, 2 * BLOCK):
        found = made(path, bytes(size), is_sealed=True)
        seen = Seen()
        restoring._pour(wanted, found, seen.first())
        with pytest.raises(BrokenPipeError):
            restoring._pour(wanted, found, seen.again(Gone()))
