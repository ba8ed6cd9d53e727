"""The database as the portal meets it: its hosts, its role, its session, and who stands in between."""

from contextlib import contextmanager
from datetime import date

import pytest
from django.db import connection

from portal.operating.doctor import database_hosts, database_session
from portal.operating.doctor.findings import Level
from tests.database.test_roles import made, serving_as
from tests.operating.doctor.said import bad, levels, only
from tests.operating.doctor.servers import pools
from tests.ports import lasting

__all__ = ["made"]


@contextmanager
def connected(**changes):
    """The portal connects otherwise; changes of OPTIONS under their own names, of the rest in capitals."""
    given = connection.settings_dict
    before = {**given, "OPTIONS": dict(given["OPTIONS"])}
    connection.close()
    for name, value in changes.items():
        if name.isupper():
            given[name] = value
        else:
            given["OPTIONS"][name] = value
    try:
        yield
    finally:
        connection.close()
        given.clear()
        given.update(before)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def said(found, level=Level.OK):
    return [line.found for line in found if line.level is level]


@pytest.mark.django_db
def test_a_file_is_said_to_be_one():
    if connection.vendor == "sqlite":
        assert only(database_hosts.look()).level is Level.WARN
        looks = (database_hosts.look_at_role, database_session.look, database_session.look_at_safety)
        assert [list(look()) for look in looks] == [[], [], []]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"host": "127.0.0.1"}, []),
        ({"host": "/run/postgresql"}, []),
        ({"host": "10.0.0.5"}, [Level.WARN]),
        ({"host": "db.example.com", "sslmode": "require"}, [Level.WARN]),
        ({"host": "db.example.com", "sslmode": "verify-full"}, []),
    ],
)
def test_a_server_that_need_not_prove_who_it_is_is_told(given, expected):
    found = list(database_hosts._on_the_way("db:5432", given))
    assert [each.level for each in found] == expected


@pytest.mark.parametrize(
    ("version", "today", "level"),
    [
        (150008, date(2026, 1, 1), None),
        (140001, date(2030, 1, 1), Level.WARN),
        (120001, date(2026, 1, 1), Level.WRONG),
    ],
)
def test_versions_that_are_no_longer_mended(monkeypatch, version, today, level):
    monkeypatch.setattr(connection.features, "minimum_database_version", (14,))
    monkeypatch.setattr(database_hosts, "_today", lambda: today)
    assert levels(database_hosts._version(version)) == ([level] if level else [])


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestOnPostgreSQL:
    def test_the_host_answers(self):
        found = list(database_hosts.look())
        assert "takes changes" in found[0].found
        assert Level.WRONG not in levels(found)

    def test_each_of_several_hosts_is_asked(self):
        host, port, away = connection.settings_dict["HOST"], connection.settings_dict["PORT"], lasting()
        with connected(HOST=f"{host},127.0.0.1", PORT=f"{port},{away}"):
            found = list(database_hosts.look())
        assert [line.level for line in found[:2]] == [Level.WRONG, Level.OK]
        assert f"127.0.0.1:{away} does not answer" in found[0].found

    def test_two_that_take_changes_are_two_databases(self):
        host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
        with connected(HOST=f"{host},{host}", PORT=f"{port},{port}"):
            assert "two databases" in bad(database_hosts.look())[0].found

    def test_a_wrong_password_and_a_name_that_is_not_there(self):
        with connected(NAME="not-there-at-all"):
            assert "Make the database" in bad(database_hosts.look())[0].do
        with connected(USER="nobody_of_that_name", PASSWORD="x"):
            found = bad(database_hosts.look())[0]
        assert (found.level, "DATABASE_URL" in found.do or "Make the database" in found.do) == (Level.WRONG, True)

    def test_who_serves(self, made):
        assert only(database_hosts.look_at_role()).level is Level.WRONG
        with serving_as(made.web):
            assert only(database_hosts.look_at_role()).level is Level.OK

    def test_what_ends_by_itself(self):
        found = list(database_session.look())
        assert bad(found) == []
        assert "lock_timeout 4s, statement_timeout 30s" in found[0].found

    def test_what_is_really_in_force_counts(self):
        run("SET lock_timeout = 0")
        try:
            found = only(bad(database_session.look()))
            assert (found.level, "lock_timeout is 0" in found.found) == (Level.WRONG, True)
            run("SET lock_timeout = '2s'")
            assert "lock_timeout 2s" in next(iter(database_session.look())).found
        finally:
            connection.close()

    def test_plans_and_time_zone(self):
        run("SET plan_cache_mode = auto")
        run("SET TimeZone = 'Europe/Berlin'")
        try:
            plans, zone = bad(database_session.look())
        finally:
            connection.close()
        assert (plans.level, zone.level) == (Level.WARN, Level.WARN)
        assert "plan_cache_mode is auto" in plans.found
        assert "Europe/Berlin" in zone.found

    def test_an_acknowledged_change(self):
        try:
            run("SET synchronous_commit = off")
            assert Level.WRONG in levels(database_session.look_at_safety())
            run("SET synchronous_commit = on")
            assert not [line for line in database_session.look_at_safety() if "synchronous_commit is off" in line.found]
        finally:
            connection.close()

    def test_room_for_connections(self, monkeypatch):
        assert only(database_session.look_at_connections()).found.split()[0].isdecimal()
        real = database_session._setting
        monkeypatch.setattr(database_session, "_setting", lambda name: "1" if name == "max_connections" else real(name))
        assert only(database_session.look_at_connections()).level is Level.WARN

    def test_nobody_in_between(self):
        assert not [line for line in database_session.look() if "pool" in line.found]

    @pytest.mark.parametrize(
        ("mode", "options", "level", "words"),
        [
            ("session", {}, Level.OK, "by session"),
            ("transaction", {}, Level.WRONG, "prepared statements"),
            (
                "transaction",
                {"prepare_threshold": None, "DISABLE_SERVER_SIDE_CURSORS": True},
                Level.OK,
                "prepares nothing",
            ),
        ],
    )
    def test_a_pool_in_between(self, mode, options, level, words):
        given = connection.settings_dict
        with (
            pools.running(mode, given) as port,
            connected(HOST="127.0.0.1", PORT=str(port), options="", **options),
        ):
            found = [line for line in database_session.look() if "pool" in line.found]
        assert (only(found).level, words in found[0].found) == (level, True)


@pytest.mark.parametrize(
    ("commit", "named", "standbys", "level", "words"),
    [
        ("on", "", (0, 0), Level.OK, "no standby"),
        ("on", "", (1, 0), Level.WARN, "none of them synchronous"),
        ("remote_apply", "*", (2, 1), Level.OK, "1 of 2 standbys"),
        ("remote_apply", "*", (0, 0), Level.WRONG, "changes wait"),
        ("local", "*", (1, 1), Level.WRONG, "a failover forgets"),
        ("off", "*", (1, 1), Level.WRONG, "a crash forgets"),
    ],
)
def test_what_a_commit_survives(monkeypatch, commit, named, standbys, level, words):
    shown = {"synchronous_commit": commit, "synchronous_standby_names": named}
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(database_session, "_setting", lambda name: shown.get(name, "on"))
    monkeypatch.setattr(database_session, "_standbys", lambda: standbys)
    found = only(database_session.look_at_safety())
    assert (found.level, words in found.found) == (level, True), found
