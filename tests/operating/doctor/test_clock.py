"""Clocks, as the programs of this machine and the database tell them."""

import os
import time

import pytest
from django.db import connection

from portal.operating.doctor import clock
from portal.operating.doctor.findings import Level
from tests.operating.doctor.said import only


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Only what a test puts there can be run, on a machine that is no container."""
    monkeypatch.setattr(clock, "OF_A_CONTAINER", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, says: str, status: int = 0) -> None:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
        program.chmod(0o755)

    return put


def ntp():
    return only(line for line in clock.look() if line.subject == "clock" and "database" not in line.found)


@pytest.mark.parametrize(
    ("name", "says", "level"),
    [
        ("timedatectl", "yes", Level.OK),
        ("timedatectl", "no", Level.WRONG),
        ("chronyc", "Leap status     : Normal", Level.OK),
        ("chronyc", "Leap status     : Not synchronised", Level.WRONG),
    ],
)
def test_whether_ntp_keeps_it(programs, name, says, level):
    programs(name, says)
    assert ntp().level is level


def test_in_a_container_the_host_keeps_it(programs, tmp_path, monkeypatch):
    programs("timedatectl", "no")
    monkeypatch.setattr(clock, "OF_A_CONTAINER", (tmp_path / "gone", tmp_path / "there"))
    assert ntp().level is Level.WRONG
    (tmp_path / "there").touch()
    assert ntp().level is Level.WARN


def test_where_nobody_knows_it_is_said(programs):
    assert ntp().level is Level.WARN
    programs("timedatectl", "System has not been booted with systemd", 1)
    assert ntp().level is Level.WARN


def test_a_program_that_hangs_is_given_up(programs, monkeypatch):
    monkeypatch.setattr(clock, "ASKED_WITHIN", 0.2)
    programs("timedatectl", "yes")
    path = os.path.join(os.environ["PATH"], "timedatectl")  # noqa: PTH118  (a line of shell follows)
    with open(path, "w") as script:  # noqa: PTH123
        script.write("#!/bin/sh\nexec /bin/sleep 20\n")
    assert ntp().level is Level.WARN


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0.0, Level.OK), (1.9, Level.OK), (-2.5, Level.WARN), (31.0, Level.WRONG), (-7200.0, Level.WRONG)],
)
def test_how_far_two_clocks_may_be_apart(seconds, level):
    found = clock.apart("its", seconds)
    assert found.level is level
    assert ("behind" in found.found) is (seconds < 0)


@pytest.mark.postgresql
@pytest.mark.django_db
class TestOnPostgreSQL:
    def test_the_database_has_the_same_time(self):
        assert connection.vendor == "postgresql"
        assert any(line.level is Level.OK and "the database's" in line.found for line in clock.look())

    def test_or_another(self, monkeypatch):
        real = time.time
        monkeypatch.setattr("time.time", lambda: real() - 3600)
        found = only(line for line in clock.look() if "the database's" in line.found)
        assert found.level is Level.WRONG
        assert "3600.0 s ahead" in found.found
