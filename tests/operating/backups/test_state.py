"""How long ago the last backup and drill were is known without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.operating import backups
from portal.operating.backups import state


@pytest.fixture(autouse=True)
def _var(settings, tmp_path):
    settings.VAR = tmp_path


def test_at_first_there_was_none():
    assert backups.ages() == (None, None)


def test_each_is_told_by_itself():
    before = datetime.now(UTC)
    state.note("backup", file="one.age", bytes=5)
    at, drill = backups.ages()
    assert drill is None
    assert at is not None
    assert before <= at <= before + timedelta(minutes=1)
    state.note("drill")
    assert backups.ages()[0] == at
    drill = backups.ages()[1]
    assert drill is not None
    assert drill > at


def test_it_is_for_its_owner_alone_and_leaves_nothing_else(tmp_path):
    state.note("backup")
    folder = tmp_path / state.FOLDER
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir()] == ["last-backup.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"at": 5}', '{"at": "soon"}', '{"at": "2026-01-01T00:00:00"}'])
def test_what_cannot_be_read_counts_as_never(tmp_path, text):
    state.note("backup")
    (tmp_path / state.FOLDER / "last-backup.json").write_text(text)
    assert backups.ages() == (None, None)
