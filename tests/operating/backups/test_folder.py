"""The folder of backups: what counts as one, what is removed and when, and whether there is room."""

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.operating.backups import folder, manifest
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed

PORTAL = Database(is_sqlite=False, name="portal")
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def kept(where: Path, at: datetime, database: Database = PORTAL) -> Path:
    """Something that looks like a complete backup of that time."""
    path = where / folder.name(database, at, is_sealed=True)
    path.write_text("sealed")
    manifest.beside(path).write_text("{}")
    return path


def names(where: Path) -> set[str]:
    return {path.name for path in where.iterdir()}


def test_only_what_has_a_manifest_and_such_a_name_is_complete(tmp_path):
    whole = kept(tmp_path, NOON)
    without = kept(tmp_path, NOON + timedelta(hours=1))
    manifest.beside(without).unlink()
    (tmp_path / f"{folder.PART}backup").write_text("half")
    (tmp_path / "countersign-portal-yesterday.age").write_text("not ours")
    assert [each.path for each in folder.complete(tmp_path)] == [whole]
    assert folder.latest(tmp_path) == whole


def test_the_latest_of_none_is_told(tmp_path):
    with pytest.raises(Failed, match="There is no backup in"):
        folder.latest(tmp_path)


def test_the_newest_are_kept_and_the_others_go_with_their_manifests(tmp_path):
    made = [kept(tmp_path, NOON + timedelta(hours=hour)) for hour in range(5)]
    other = kept(tmp_path, NOON - timedelta(days=9), Database(is_sqlite=False, name="elsewhere"))
    assert folder.remove_old(tmp_path, "portal", keep=2, days=None) == 3
    left = {path.name for path in (*made[3:], other)}
    assert names(tmp_path) == left | {f"{name}.json" for name in left}


def test_old_ones_go_by_their_age_and_never_the_newest(tmp_path):
    for days in (40, 30, 3):
        kept(tmp_path, NOON - timedelta(days=days))
    newest = kept(tmp_path, NOON)
    assert folder.remove_old(tmp_path, "portal", keep=None, days=30) == 1
    assert folder.remove_old(tmp_path, "portal", keep=1, days=30) == 2
    assert folder.complete(tmp_path)[0].path == newest
    assert folder.remove_old(tmp_path, "portal", keep=1, days=1) == 0


def test_a_manifest_that_lost_its_backup_goes_too(tmp_path):
    lost = kept(tmp_path, NOON)
    lost.unlink()
    kept(tmp_path, NOON + timedelta(hours=1))
    folder.remove_old(tmp_path, "portal", keep=5, days=None)
    assert not manifest.beside(lost).exists()


def test_two_at_once_are_told_so_and_leftovers_go(tmp_path):
    (tmp_path / f"{folder.PART}backup").write_text("half")
    with folder.alone(tmp_path):
        assert names(tmp_path) == {folder.LOCK}
        with pytest.raises(Failed, match="Another backup is being written"), folder.alone(tmp_path):
            pytest.fail("two at once")
    with folder.alone(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="cannot be written to"), folder.alone(tmp_path / "file" / "backups"):
        pytest.fail("no such folder")


def test_room_is_looked_at_before(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(0, 0, folder.SPARE + 1_500_000))
    folder.refuse_without_room(tmp_path, 1_500_000)
    with pytest.raises(Failed, match=r"has 68\.6 MB free, a backup may take 68\.6 MB\. Nothing was written\."):
        folder.refuse_without_room(tmp_path, 1_500_001)


def test_the_next_one_is_expected_to_be_like_the_last(tmp_path):
    assert folder.expected_size(tmp_path, PORTAL, 1000) == 500
    kept(tmp_path, NOON).write_bytes(bytes(200))
    assert folder.expected_size(tmp_path, PORTAL, 1000) == 300
    assert folder.expected_size(tmp_path, Database(is_sqlite=True, name="/x/portal.sqlite3"), 1000) == 2000


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (5 * 10**12, "5.0 TB"), (10**16, "10000.0 TB")],
)
def test_sizes_are_said_as_people_say_them(size, said):
    assert folder.in_words(size) == said
