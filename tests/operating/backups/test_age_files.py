"""Streams sealed with age: a block at a time, refused when cut or changed, and read by the tool that everybody has."""

import errno
import io
import shutil
import subprocess
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pyrage
import pytest

from portal.operating.backups import age_files, databases, manifest
from portal.operating.backups.age_files import Counted
from portal.operating.backups.failures import Failed, first_line
from portal.operating.backups.manifest import Facts, Manifest

KEY = pyrage.x25519.Identity.generate()
TO = [str(KEY.to_public())]


class Endless:
    """So many bytes, made as they are read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


def sealed(content: bytes) -> bytes:
    sink = io.BytesIO()
    age_files.seal(Counted(source=io.BytesIO(content)), Counted(sink=sink), TO)
    return sink.getvalue()


def opened(text: bytes, key: Any = KEY) -> bytes:
    sink = io.BytesIO()
    age_files.open_sealed(Counted(source=io.BytesIO(text)), Counted(sink=sink), [key])
    return sink.getvalue()


def test_what_is_long_is_never_in_memory_as_a_whole():
    source, sink = Counted(source=Endless(64_000_000)), Counted()
    tracemalloc.start()
    try:
        age_files.seal(source, sink, TO)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert source.size == 64_000_000
    assert sink.size > 64_000_000


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
def test_it_comes_back_as_it_went_in(size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert opened(sealed(content)) == content


@pytest.mark.parametrize("cut", [1, 100, 65_552, 199_999])
def test_what_was_cut_short_does_not_open(cut):
    with pytest.raises((OSError, pyrage.DecryptError)):
        opened(sealed(bytes(200_000))[:-cut])


@pytest.mark.parametrize("place", [10, 150, 240, 100_000, -1])
def test_what_was_changed_does_not_open(place):
    changed = bytearray(sealed(bytes(200_000)))
    changed[place] ^= 1
    with pytest.raises((OSError, pyrage.DecryptError)):
        opened(bytes(changed))


def test_another_key_does_not_open_it():
    with pytest.raises(pyrage.DecryptError):
        opened(sealed(b"x"), pyrage.x25519.Identity.generate())


@pytest.mark.skipif(shutil.which("age") is None, reason="the program age is not installed")
def test_the_program_age_opens_it(tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "sealed").write_bytes(sealed(b"as it was" * 10_000))
    shown = subprocess.run(
        ["age", "--decrypt", "--identity", tmp_path / "key", tmp_path / "sealed"], capture_output=True, check=True
    )
    assert shown.stdout == b"as it was" * 10_000


def test_each_of_several_recipients_opens_it():
    other = pyrage.x25519.Identity.generate()
    sink = io.BytesIO()
    both = age_files.recipients(f" {TO[0]}, {other.to_public()} ")
    age_files.seal(Counted(source=io.BytesIO(b"x")), Counted(sink=sink), both)
    assert [opened(sink.getvalue(), key) for key in (KEY, other)] == [b"x", b"x"]


def test_what_is_no_key_is_told(tmp_path):
    with pytest.raises(Failed, match="is no public key of age"):
        age_files.recipients("age1nothing")
    path = tmp_path / "key"
    for text in ("", "# nothing\n", "AGE-SECRET-KEY-1NOTHING\n", "ä"):
        path.write_text(text)
        with pytest.raises(Failed, match="private key of age"):
            age_files.read_identities(path)
    with pytest.raises(Failed, match="cannot be read"):
        age_files.read_identities(tmp_path / "gone")


class Full:
    """A disk with room for so many writes."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def write(self, data: bytes, /) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(data)


class Broken(Endless):
    """A stream that ends in a fault."""

    def read(self, size: int = -1, /) -> bytes:
        if not self.left:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("to", [TO, []], ids=["sealed", "plain"])
@pytest.mark.parametrize("size", [1, 200_000])
def test_a_disk_that_is_full_is_noticed_at_whatever_block(to, size):
    """The last one above all: pyrage says nothing of it."""
    plenty = Full(1000)
    age_files.seal(Counted(source=Endless(size)), Counted(sink=plenty), to)
    for writes in range(1000 - plenty.left):
        with pytest.raises(OSError, match="No space left"):
            age_files.seal(Counted(source=Endless(size)), Counted(sink=Full(writes)), to)


def test_a_source_that_breaks_is_no_end():
    with pytest.raises(OSError, match="Input/output"):
        age_files.seal(Counted(source=Broken(200_000)), Counted(), TO)


def test_a_sink_that_breaks_is_noticed_when_opening():
    with pytest.raises(OSError, match="No space left"):
        age_files.open_sealed(Counted(source=io.BytesIO(sealed(b"x"))), Counted(sink=Full(0)), [KEY])


def one(**said: object) -> Manifest:
    facts = Facts({"audit": ["0001_initial"]}, ["organization-1 5 abc"], ["k1"])
    given = {
        "file": "x.age", "made_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(), "version": "1", "database": "portal",
        "kind": "sqlite", "made_by": "SQLite", "taken_from": "file", "size": 5, "sha256": "aa", "content_size": 3,
        "content_sha256": "bb", "sealed_to": TO, "facts": facts, **said,
    }  # fmt: skip
    return Manifest(**given)  # type: ignore[arg-type]


def test_a_manifest_is_ours_as_long_as_nothing_in_it_is_changed(tmp_path):
    backup = tmp_path / "x.age"
    manifest.write(manifest.beside(backup), one().signed())
    assert manifest.read(backup).is_ours()
    assert manifest.beside(backup).stat().st_mode & 0o777 == 0o600
    text = manifest.beside(backup).read_text()
    for old, new in (('"aa"', '"ab"'), ("organization-1 5", "organization-1 4"), ('"k1"', '"k2"')):
        manifest.beside(backup).write_text(text.replace(old, new))
        assert not manifest.read(backup).is_ours()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"facts": 5}', '{"facts": {}, "file": "x"}'])
def test_what_is_no_manifest_is_told(tmp_path, text):
    manifest.beside(tmp_path / "x.age").write_text(text)
    with pytest.raises(Failed, match="cannot be read as the manifest"):
        manifest.read(tmp_path / "x.age")


def test_a_manifest_of_another_format_is_told(tmp_path):
    manifest.write(manifest.beside(tmp_path / "x.age"), one(format=2))
    with pytest.raises(Failed, match=r"another version of the portal \(format 2\)"):
        manifest.read(tmp_path / "x.age")


def test_a_password_is_in_no_text_that_others_see():
    found = databases.of_url("postgres://ana:p%40ss%2Fword@one:1,two:2/portal?sslmode=require")
    assert "p@ss/word" not in found.conninfo()
    assert "p@ss/word" not in repr(found)
    assert found.environment()["PGPASSWORD"] == "p@ss/word"
    assert databases.of_url(found.url()) == found
    assert found.conninfo() == "sslmode=require host=one,two port=1,2 user=ana dbname=portal"
    assert found.at("two", 2).conninfo() == "sslmode=require host=two port=2 user=ana dbname=portal"


def test_of_several_hosts_a_restore_means_the_one_that_takes_changes():
    """Else it came to the first that answers, which may be a standby: nothing can be made there."""
    several = databases.of_url("postgres://drill@one:1,two:2/postgres")
    assert several.taking_changes().conninfo().startswith("target_session_attrs=read-write ")
    assert several.taking_changes().at("two", 2).conninfo() == "host=two port=2 user=drill dbname=postgres"
    for url in ("postgres://drill@one/postgres", "postgres://drill@one,two/postgres?target_session_attrs=any"):
        assert databases.of_url(url).taking_changes() == databases.of_url(url)


@pytest.mark.parametrize("url", ["", "portal", "mysql://x/y", "postgres://host", "sqlite:///", "postgres://h:x/y"])
def test_what_names_no_database_is_told(url):
    with pytest.raises(Failed):
        databases.of_url(url)


def test_of_what_a_program_says_the_line_with_its_error_is_told():
    assert first_line("note: x\n  pg_dump: error: it broke  \nhint: y\n", "z") == "pg_dump: error: it broke"
    assert first_line("it broke\nthere", "z") == "it broke"
    assert first_line(" \n", "z") == "z"


@pytest.mark.parametrize("written", [str, str.lower, str.upper])
def test_a_private_key_in_the_place_of_the_public_one_is_not_told_to_the_journal(written):
    secret = written(str(KEY))
    with pytest.raises(Failed, match="holds a private key") as caught:
        age_files.recipients(f"{TO[0]},{secret}")
    assert secret[-20:] not in str(caught.value)
