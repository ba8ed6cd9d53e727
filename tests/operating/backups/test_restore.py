"""`manage.py restore`: proved in a scratch database, or for good; what is not whole, ours or done is never served."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pyrage
import pytest

from portal.operating.backups import manifest, postgresql_loading
from tests.operating.backups.conftest import Portal
from tests.serving import ROOT

pytestmark = pytest.mark.slow
PROVED = [
    "Everything that is sealed opens.",
    "The history is whole: ",
    "The ledger agrees with itself.",
    "4 keys were lifted; 4 calls that passed before are refused.",
    "The drill passed: ",
]


@pytest.fixture(scope="module")
def sqlite_backup(on_sqlite: Portal) -> Path:
    return on_sqlite.backup()


@pytest.fixture(scope="module")
def postgresql_backup(on_postgresql: Portal) -> Path:
    return on_postgresql.backup()


def databases(server) -> set[str]:
    with psycopg.connect(server.url("postgres")) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_drill_proves_it_and_leaves_nothing(on_postgresql, server, postgresql_backup):
    before = databases(server)
    lines = on_postgresql.typed.done("restore", "--check", "--latest").splitlines()
    assert [line.startswith(said) for line, said in zip(lines, PROVED, strict=True)] == [True] * 5
    assert databases(server) == before
    assert drilled(on_postgresql)["file"] == postgresql_backup.name


def test_a_drill_of_sqlite_too(on_sqlite, sqlite_backup):
    var = Path(on_sqlite.environment["PORTAL_VAR"])
    lines = on_sqlite.done("restore", "--check", str(sqlite_backup)).splitlines()
    assert [line.startswith(said) for line, said in zip(lines, PROVED, strict=True)] == [True] * 5
    assert not list(var.glob("restore-check-*"))
    assert drilled(on_sqlite)["file"] == sqlite_backup.name


def drilled(portal) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        (Path(portal.environment["PORTAL_VAR"]) / "backups-state/last-drill.json").read_text()
    )
    return found


def test_what_a_drill_that_was_killed_left_goes_with_the_next(
    on_postgresql, postgresql_backup, server, on_sqlite, sqlite_backup
):
    left = f"{postgresql_loading.SCRATCH}20260101000000_0123abcd"
    server.create(left)
    server.create("countersign_check_of_mine")
    folder = Path(on_sqlite.environment["PORTAL_VAR"]) / "restore-check-left"
    folder.mkdir()
    on_postgresql.done("restore", "--check", "--latest")
    assert left not in databases(server)
    assert "countersign_check_of_mine" in databases(server)
    on_sqlite.done("restore", "--check", str(sqlite_backup))
    assert not folder.exists()


def test_for_good_it_goes_into_an_empty_database_alone(on_postgresql, server, postgresql_backup):
    server.create("good")
    said = on_postgresql.typed.done("restore", str(postgresql_backup), "--to", server.url("good"))
    assert "Demo Treasury: its history reaches to 20" in said
    assert "4 calls that would have passed before are refused." in said
    assert "databaseroles" in said
    kinds = (
        "from portal.audit.models import AuditEvent; print(AuditEvent.objects.filter(kind='backup.restored').count())"
    )
    with on_postgresql.at(server.url("good")) as restored:
        assert restored.done("shell", "-c", kinds).splitlines()[-1] == "2"
        restored.done("verifyaudit")
        restored.done("migrate", "--check")
        again = on_postgresql.typed.refused("restore", str(postgresql_backup), "--to", server.url("good"))
        assert again == (
            "CommandError: good is not empty. Nothing was done: restore into a database that was just made.\n"
        )
        restored.done("verifyaudit")


def test_a_call_signed_before_is_refused_in_what_was_restored(on_postgresql, server, tmp_path):
    """fault operations-F8: accepted after the backup, sent once more after the restore."""
    call = (
        "from tests.api.calls import Wire\nfrom types import SimpleNamespace\nimport sys, json\n"
        "public, secret = {keys!r}\nwire = Wire(SimpleNamespace(public=public, secret=secret))\n"
        "print(wire.read(wire.send('Balance', b'nonce={nonce}', nonce='{nonce}'))['error'])\n"
    )
    keys = on_postgresql.bots["treasury-bot"]
    backup = on_postgresql.backup("--to", str(tmp_path))
    text = call.format(keys=keys, nonce=time.time_ns())
    assert on_postgresql.done("shell", "-c", text).splitlines()[-1] == "[]"
    server.create("replayed")
    on_postgresql.done("restore", str(backup), "--to", server.url("replayed"))
    restored = {"DATABASE_URL": server.url("replayed")}
    assert on_postgresql.done("shell", "-c", text, **restored).splitlines()[-1] == "['EAPI:Invalid nonce']"


def test_sqlite_for_good_gets_its_name_when_all_is_done(on_sqlite, sqlite_backup, tmp_path):
    target = tmp_path / "restored.sqlite3"
    on_sqlite.typed.done("restore", str(sqlite_backup), "--to", f"sqlite:///{target}")
    assert {path.name for path in tmp_path.iterdir()} == {target.name}
    assert target.stat().st_mode & 0o777 == 0o600
    on_sqlite.done("verifyaudit", DATABASE_URL=f"sqlite:///{target}")
    said = on_sqlite.refused("restore", str(sqlite_backup), "--to", f"sqlite:///{target}")
    assert "is there already. Nothing was done" in said


def copied(backup: Path, where: Path) -> Path:
    shutil.copy(manifest.beside(backup), where)
    return Path(shutil.copy(backup, where))


def test_what_is_not_whole_is_refused_before_a_byte_is_loaded(on_sqlite, sqlite_backup, tmp_path):
    target = ["--to", f"sqlite:///{tmp_path}/restored.sqlite3"]
    short = copied(sqlite_backup, tmp_path)
    whole = short.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 65_552 * 3 + 245):
        short.write_bytes(whole[:size])
        assert "was cut short, or changed" in on_sqlite.refused("restore", str(short), *target)
    short.write_bytes(b"")
    on_sqlite.refused("restore", str(short), *target)
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    short.write_bytes(bytes(changed))
    assert "was cut short, or changed" in on_sqlite.refused("restore", str(short), *target)
    short.unlink()
    assert "cannot be read: No such file" in on_sqlite.refused("restore", str(short), *target)
    assert not list(tmp_path.glob("restored*"))


def test_what_another_has_sealed_is_refused(on_sqlite, sqlite_backup, tmp_path):
    """Whoever has the public key can seal: the manifest is signed by who has the sealing keys."""
    target = ["--to", f"sqlite:///{tmp_path}/restored.sqlite3"]
    forged = copied(sqlite_backup, tmp_path)
    key = pyrage.x25519.Recipient.from_str(on_sqlite.environment["PORTAL_BACKUP_RECIPIENT"])
    forged.write_bytes(pyrage.encrypt(b"SQLite format 3\0 of a stranger", [key]))
    assert "is not what was written" in on_sqlite.refused("restore", str(forged), *target)
    said = json.loads(manifest.beside(forged).read_text())
    for name, value in (("version", "9"), ("content_sha256", "0" * 64), ("signature", "")):
        manifest.beside(forged).write_text(json.dumps({**said, name: value}))
        assert "was not signed by a portal with these" in on_sqlite.refused("restore", str(forged), *target)
    manifest.beside(forged).unlink()
    assert "without its manifest is not restored" in on_sqlite.refused("restore", str(forged), *target)


def test_an_old_one_does_not_pass_for_a_newer_one(on_sqlite, sqlite_backup, tmp_path):
    """Whoever may only move files could have the portal go back to a day on which a key was not yet revoked."""
    old = copied(sqlite_backup, tmp_path)
    new = old.with_name(old.name.replace("-2", "-3", 1))
    manifest.beside(old).rename(manifest.beside(new))
    old.rename(new)
    target = ["--to", f"sqlite:///{tmp_path}/restored.sqlite3"]
    assert f"was written as {old.name}" in on_sqlite.refused("restore", str(new), *target)
    assert not list(tmp_path.glob("restored*"))


def test_other_keys_open_nothing(on_sqlite, sqlite_backup, tmp_path):
    target = ["--to", f"sqlite:///{tmp_path}/restored.sqlite3"]
    other = tmp_path / "other"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    command = ["restore", str(sqlite_backup), *target]
    assert "The key does not open" in on_sqlite.refused(*command, "--identity", str(other))
    assert "is sealed: name the file" in on_sqlite.refused(*command, PORTAL_BACKUP_IDENTITY="")
    assert "cannot be read as a private key" in on_sqlite.refused(*command, "--identity", "/nowhere")
    drawn = "k9:J3k2mQ0rV9tBz7yXw1uSaLdPfGhNcMeKoIiRjTqUWvE"
    assert "PORTAL_SEALING_KEYS lacks local" in on_sqlite.refused(*command, PORTAL_SEALING_KEYS=drawn)
    same_name = drawn.replace("k9", "local")
    assert "was not signed by a portal with these" in on_sqlite.refused(*command, PORTAL_SEALING_KEYS=same_name)


def test_it_goes_into_its_own_kind_alone(on_sqlite, sqlite_backup, server):
    server.create("kind")
    said = on_sqlite.refused("restore", str(sqlite_backup), "--to", server.url("kind"))
    assert "is a dump of SQLite, and goes nowhere else" in said


def test_nothing_or_too_much_is_no_wish(on_sqlite, sqlite_backup):
    assert "Name a backup, or --latest." in on_sqlite.refused("restore", "--check")
    assert "Name a backup, or --latest." in on_sqlite.refused("restore", str(sqlite_backup), "--latest", "--check")
    # Without --to it is the portal's own, which is not empty.
    assert "is there already. Nothing was done" in on_sqlite.refused("restore", "--latest")
    assert "A database is named as in" in on_sqlite.refused("restore", "--latest", "--to", "portal")


def test_a_role_that_may_not_is_told(on_postgresql, server, postgresql_backup):
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE small LOGIN")
        connection.execute("CREATE DATABASE of_another")
    small = f"postgres://small@127.0.0.1:{server.port}"
    said = on_postgresql.refused("restore", str(postgresql_backup), "--to", f"{small}/of_another")
    assert "belongs to another role: restore as its owner" in said
    said = on_postgresql.refused("restore", str(postgresql_backup), "--check", "--to", f"{small}/of_another")
    assert "No scratch database can be made" in said
    said = on_postgresql.refused("restore", str(postgresql_backup), "--to", f"{small}/missing")
    assert "cannot be reached" in said


@pytest.fixture(scope="module")
def broken_backup(on_postgresql: Portal, server, tmp_path_factory) -> Path:
    """Of a database whose ledger does not agree with itself: everything is loaded before that is found."""
    source = on_postgresql.backup("--to", str(tmp_path_factory.mktemp("whole")))
    server.create("wrong")
    on_postgresql.done("restore", str(source), "--to", server.url("wrong"))
    with psycopg.connect(server.url("wrong")) as connection:
        connection.execute("SET session_replication_role = replica")
        table = connection.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_name LIKE 'paper%balance%' LIMIT 1"
        ).fetchone()
        assert table is not None
        column = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type = 'bigint'"
            " AND column_name NOT LIKE '%%id' LIMIT 1",
            table,
        ).fetchone()
        assert column is not None
        connection.execute(f"UPDATE {table[0]} SET {column[0]} = {column[0]} + 1")
    folder = tmp_path_factory.mktemp("wrong")
    return on_postgresql.backup("--to", str(folder), DATABASE_URL=server.url("wrong"))


def test_one_that_fails_half_way_cannot_be_served(on_postgresql, server, broken_backup):
    said = on_postgresql.refused("restore", "--check", str(broken_backup))
    assert "The ledger does not agree with itself" in said
    server.create("half")
    said = on_postgresql.refused("restore", str(broken_backup), "--to", server.url("half"))
    assert "half cannot be served: its search_path is 'restore_not_finished'. Drop it" in said
    cannot_be_served(on_postgresql, server.url("half"))


def cannot_be_served(portal, url: str) -> None:
    """Whoever connects as the portal does sees no table, and nobody makes new ones there by mistake."""
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW search_path").fetchone() == (postgresql_loading.NOT_FINISHED,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 1 FROM accounts_organization")
    ready = "from portal.dashboard import readiness; print(readiness.now().is_ready)"
    with portal.at(url) as there:
        assert there.run("migrate", "--check").returncode != 0
        assert there.run("migrate").returncode != 0
        assert there.done("shell", "--no-imports", "-c", ready).splitlines()[-1] == "False"


def test_one_that_is_killed_half_way_cannot_be_served(on_postgresql, server, postgresql_backup):
    """kill -9 while it loads: what it wants to make is held by somebody else's transaction."""
    server.create("killed")
    command = [sys.executable, "manage.py", "restore", str(postgresql_backup), "--to", server.url("killed")]
    with (
        psycopg.connect(server.url("killed")) as holding,
        subprocess.Popen(
            command, cwd=ROOT, env=on_postgresql.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running,
    ):
        # The first thing that pg_restore makes waits for who makes the same.
        holding.execute("CREATE FUNCTION audit_append_only() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        for _ in range(600):
            with psycopg.connect(server.url("postgres")) as looking:
                waits = looking.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_restore' AND wait_event_type = 'Lock'"
                ).fetchone()
            if waits or running.poll() is not None:
                break
            time.sleep(0.1)
        assert running.poll() is None
        os.kill(running.pid, signal.SIGKILL)
        running.wait(60)
        holding.rollback()
    for _ in range(600):
        with psycopg.connect(server.url("postgres")) as looking:
            busy = looking.execute("SELECT 1 FROM pg_stat_activity WHERE datname = 'killed'").fetchone()
        if not busy:
            break
        time.sleep(0.1)
    cannot_be_served(on_postgresql, server.url("killed"))
    # As the message says: dropped, made anew, restored again.
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE killed")
    server.create("killed")
    on_postgresql.done("restore", str(postgresql_backup), "--to", server.url("killed"))
    on_postgresql.done("verifyaudit", DATABASE_URL=server.url("killed"))


def test_one_of_a_later_version_is_refused(on_sqlite, tmp_path):
    """It would be half understood."""
    code = "from django.db import connection as c; c.cursor().execute("
    code += "\"INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '0999_later', '2030-01-01')\")"
    later = Path(shutil.copy(Path(on_sqlite.environment["PORTAL_VAR"]) / "portal.sqlite3", tmp_path / "later.sqlite3"))
    settings = {"DATABASE_URL": f"sqlite:///{later}"}
    on_sqlite.done("shell", "--no-imports", "-c", code, **settings)
    backup = on_sqlite.backup("--to", str(tmp_path / "backups"), **settings)
    said = on_sqlite.refused("restore", "--check", str(backup))
    assert "which is later than this one: it knows audit.0999_later" in said


def test_with_the_sealing_keys_lost_the_rest_is_restored(on_sqlite, sqlite_backup, tmp_path):
    target = tmp_path / "restored.sqlite3"
    drawn = "k9:J3k2mQ0rV9tBz7yXw1uSaLdPfGhNcMeKoIiRjTqUWvE"
    command = ["restore", str(sqlite_backup), "--to", f"sqlite:///{target}"]
    said = on_sqlite.done(*command, "--keys-lost", PORTAL_SEALING_KEYS=drawn)
    assert "The ledger agrees with itself." in said
    assert "Everything that is sealed opens." not in said
    assert "4 keys were lifted" not in said
    assert "3 keys were lifted" in said
