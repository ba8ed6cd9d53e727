"""What lies on the machine: who may read it, whether it is there, and room."""

import os
import resource
import shutil
from collections import namedtuple

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

from portal.operating.doctor import files
from portal.operating.doctor.findings import Level
from tests.operating.doctor.said import bad, levels, only

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def folder(settings, tmp_path):
    settings.DEBUG, settings.VAR = False, tmp_path / "var"
    settings.VAR.mkdir()
    settings.VAR.chmod(0o750)
    return settings.VAR


@pytest.mark.parametrize(
    ("mode", "level"), [(0o750, Level.OK), (0o700, Level.OK), (0o755, Level.WARN), (0o777, Level.WRONG)]
)
def test_who_may_read_and_write_the_folder(folder, mode, level):
    folder.chmod(mode)
    assert only(files.look_at_folder()).level is level


def test_a_secret_file_that_others_may_read(folder):
    (folder / "keys.json").write_text("{}")
    (folder / "keys.json").chmod(0o640)
    found = only(files.look_at_folder())
    assert (found.level, found.do) == (Level.WRONG, f"chmod go= {folder / 'keys.json'}")
    (folder / "keys.json").chmod(0o600)
    assert only(files.look_at_folder()).level is Level.OK


def test_a_folder_that_is_not_there(folder):
    folder.rmdir()
    assert only(files.look_at_folder()).level is Level.WRONG


def test_a_folder_that_is_somebody_elses(folder, monkeypatch):
    # Root writes everywhere, so that the kernel's answer to others is given here.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert Level.WRONG in levels(files.look_at_folder())


def test_the_environment_file(tmp_path, monkeypatch):
    path = tmp_path / "environment"
    assert list(files.look_at_environment(path)) == []
    monkeypatch.setenv("PORTAL_MAIL_FROM", "portal@example.test")
    monkeypatch.setenv("PORTAL_BASE_URL", "https://portal.example.test")
    path.write_text(
        "# settings\nPORTAL_MAIL_FROM=portal@example.test\n\nPORTAL_BASE_URL='https://portal.example.test'\n"
    )
    path.chmod(0o640)
    assert only(files.look_at_environment(path)).level is Level.OK
    path.chmod(0o644)
    assert only(files.look_at_environment(path)).level is Level.WRONG
    path.chmod(0o640)
    path.write_text("PORTAL_MAIL_FROM=secret-of-another\n")
    found = only(bad(files.look_at_environment(path)))
    assert (found.level, "PORTAL_MAIL_FROM" in found.found, "secret-of" in found.found) == (Level.WARN, True, False)


def test_one_that_this_user_may_not_read(tmp_path):
    class Shut(type(tmp_path)):  # type: ignore[misc]
        def read_text(self, *args, **kwargs):
            raise PermissionError

    path = tmp_path / "environment"
    path.write_text("")
    assert only(files.look_at_environment(Shut(path))).level is Level.OK


def test_static_files(tmp_path, settings, monkeypatch):
    assert only(files.look_at_static()).level is Level.OK
    settings.STATIC_ROOT = tmp_path
    storage = ManifestStaticFilesStorage(location=str(tmp_path))
    monkeypatch.setattr(files, "staticfiles_storage", storage)
    storage.hashed_files = {}
    assert only(files.look_at_static()).level is Level.WRONG
    storage.hashed_files = {"css/base.css": "css/base.1.css"}
    assert "1 of 1 are gone" in only(files.look_at_static()).found
    (tmp_path / "css").mkdir()
    (tmp_path / "css/base.1.css").write_text("")
    assert only(files.look_at_static()).level is Level.OK


@pytest.mark.parametrize(
    ("total", "free", "level"), [(100, 50, Level.OK), (100, 8, Level.WARN), (100, 0.5, Level.WRONG), (4, 2, Level.OK)]
)
def test_room(folder, monkeypatch, total, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(total * 2**30, 0, int(free * 2**30)))
    assert only(files.look_at_room()).level is level


def test_open_files_of_this_process(monkeypatch, settings):
    monkeypatch.setenv("PATH", "")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    settings.STREAM_SOCKETS = before[0]
    assert only(files.look_at_limits()).level is Level.WARN
    settings.STREAM_SOCKETS = 10
    assert only(files.look_at_limits()).level is Level.OK


@pytest.mark.parametrize(("limit", "level"), [("1024", Level.WRONG), ("16384", Level.OK)])
def test_open_files_of_the_units(tmp_path, monkeypatch, limit, level):
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        "#!/bin/sh\ncase $2 in\n"
        f"countersign-stream) echo LoadState=loaded; echo LimitNOFILESoft={limit} ;;\n"
        "*) echo LoadState=not-found; echo LimitNOFILESoft=1024 ;;\nesac\n"
    )
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    found = only(files.look_at_limits())
    assert (found.level, found.found.startswith(f"countersign-stream: {limit} ")) == (level, True)
