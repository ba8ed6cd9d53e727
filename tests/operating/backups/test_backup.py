"""`manage.py backup`: the whole database, complete or not there at all, and with nothing in it that opens it."""

import base64
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from portal.operating.backups import folder, manifest
from portal.operating.backups.databases import Database
from tests.serving import ROOT

pytestmark = pytest.mark.slow


def content(portal, backup: Path) -> bytes:
    """The dump in it, opened as anybody would who has the key."""
    opened = backup.with_suffix(".opened")
    code = "import sys, pyrage; k = pyrage.x25519.Identity.from_str(open(sys.argv[1]).read().split()[-1]); "
    code += "pyrage.decrypt_file(sys.argv[2], sys.argv[3], [k])"
    subprocess.run([sys.executable, "-c", code, portal.identity, backup, opened], check=True)
    found = opened.read_bytes()
    opened.unlink()
    return found


def sealing_key(portal) -> tuple[str, bytes]:
    text = json.loads((Path(portal.environment["PORTAL_VAR"]) / "keys.json").read_text())["sealing_keys"]
    name, _, encoded = text.partition(":")
    return name, base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def test_it_is_one_sealed_file_for_its_owner_with_its_manifest(portal, tmp_path):
    said = portal.typed.done("backup", "--to", str(tmp_path))
    assert said.count("\n") == 1
    backup = folder.latest(tmp_path)
    assert said.startswith(f"{backup}: ")
    assert {path.name for path in tmp_path.iterdir()} == {folder.LOCK, backup.name, f"{backup.name}.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    assert backup.read_bytes().startswith(b"age-encryption.org/v1\n")
    made = manifest.read(backup)
    heads = portal.done("verifyaudit").splitlines()
    assert made.facts.chains == [" ".join(line.split()[:3]) for line in heads]
    assert made.facts.sealing_keys == [sealing_key(portal)[0]]
    assert (
        made.facts.migrations["operating"] if "operating" in made.facts.migrations else made.facts.migrations["audit"]
    )
    assert made.sealed_to == [portal.environment["PORTAL_BACKUP_RECIPIENT"]]
    state = json.loads((Path(portal.environment["PORTAL_VAR"]) / "backups-state/last-backup.json").read_text())
    assert state["file"] == backup.name


def test_no_sealing_key_is_in_it_nor_any_secret_of_a_bot(portal, tmp_path):
    dump = content(portal, portal.backup("--to", str(tmp_path)))
    if dump.startswith(b"PGDMP"):
        shown = subprocess.run(["pg_restore", "--file=-"], input=dump, capture_output=True, check=True)
        dump = shown.stdout
    assert b"trading-bot" in dump
    _, key = sealing_key(portal)
    secrets = [key, key.hex().encode(), base64.b64encode(key).rstrip(b"="), base64.urlsafe_b64encode(key).rstrip(b"=")]
    secrets += [secret.encode() for _, secret in portal.bots.values()]
    assert [secret for secret in secrets if secret in dump] == []


def test_without_anybody_to_seal_it_to_it_is_refused_unless_said(on_sqlite, tmp_path):
    said = on_sqlite.refused("backup", "--to", str(tmp_path), PORTAL_BACKUP_RECIPIENT="")
    assert "PORTAL_BACKUP_RECIPIENT names no public key" in said
    assert not list(tmp_path.iterdir())
    plain = on_sqlite.backup("--plain", "--to", str(tmp_path), PORTAL_BACKUP_RECIPIENT="")
    assert plain.name.endswith(".sqlite3")
    with closing(sqlite3.connect(plain)) as connection:
        assert connection.execute("SELECT count(*) FROM audit_chain").fetchone()[0] == 2


def test_old_ones_go_after_the_new_one_is_there(on_sqlite, tmp_path):
    first = on_sqlite.backup("--to", str(tmp_path))
    second = on_sqlite.backup("--to", str(tmp_path), "--keep", "2")
    assert first.exists()
    said = on_sqlite.done("backup", "--to", str(tmp_path), "--keep", "2")
    assert "Old ones removed: 1." in said
    assert not first.exists()
    assert second.exists()
    # One that fails removes none.
    on_sqlite.refused("backup", "--to", str(tmp_path), "--keep", "1", DATABASE_URL=f"sqlite:///{tmp_path}/gone.sqlite3")
    assert len(folder.complete(tmp_path)) == 2


@pytest.mark.parametrize("options", [["--keep", "0"], ["--keep-days", "-1"], ["--keep", "all"]])
def test_to_keep_nothing_is_no_wish(on_sqlite, tmp_path, options):
    assert on_sqlite.run("backup", "--to", str(tmp_path), *options).returncode != 0
    assert not list(tmp_path.iterdir())


def test_a_database_without_a_portal_is_told(on_postgresql, server, tmp_path):
    server.create("empty")
    said = on_postgresql.refused("backup", "--to", str(tmp_path), DATABASE_URL=server.url("empty"))
    assert "This database holds no portal" in said
    assert not folder.complete(tmp_path)
    said = on_postgresql.refused("backup", "--to", str(tmp_path), DATABASE_URL=server.url("missing"))
    assert "cannot be reached" in said


def test_the_second_of_two_says_so(on_postgresql, server, tmp_path):
    """The first waits for a table that somebody holds."""
    with psycopg.connect(server.url("portal")) as holding:
        holding.execute("LOCK TABLE audit_auditevent IN ACCESS EXCLUSIVE MODE")
        first = begun(on_postgresql, tmp_path)
        wait_until((tmp_path / f"{folder.PART}backup").exists)
        assert "Another backup is being written" in on_postgresql.refused("backup", "--to", str(tmp_path))
        holding.rollback()
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert len(folder.complete(tmp_path)) == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_one_that_is_killed_leaves_nothing_that_looks_complete(on_postgresql, server, tmp_path, end):
    with psycopg.connect(server.url("portal")) as holding:
        holding.execute("LOCK TABLE audit_auditevent IN ACCESS EXCLUSIVE MODE")
        killed = begun(on_postgresql, tmp_path)
        wait_until((tmp_path / f"{folder.PART}backup").exists)
        os.kill(killed.pid, end)
        killed.communicate(timeout=60)
        assert killed.returncode != 0
        holding.rollback()
    assert folder.complete(tmp_path) == []
    assert not list(tmp_path.glob("countersign-*"))
    # The next one tidies up, and is not kept out.
    whole = on_postgresql.backup("--to", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {folder.LOCK, whole.name, f"{whole.name}.json"}


def test_a_dump_that_ends_early_is_no_backup(on_postgresql, server, tmp_path):
    """pg_dump is ended in the middle: what has come until then looks like a whole stream."""
    with psycopg.connect(server.url("portal"), autocommit=True) as other, other.transaction():
        other.execute("LOCK TABLE audit_auditevent IN ACCESS EXCLUSIVE MODE")
        running = begun(on_postgresql, tmp_path)
        wait_until((tmp_path / f"{folder.PART}backup").exists)
        with psycopg.connect(server.url("postgres"), autocommit=True) as ending:
            ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pg_dump'"
            wait_until(lambda: ending.execute(ended).fetchone() != (0,))
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert said.startswith("CommandError: pg_dump: error: ")
    assert said.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {folder.LOCK}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_leaves_nothing_that_looks_complete(portal, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", small], check=True)
    try:
        # Room enough when it is looked at, and somebody else takes it then.
        before = portal.backup("--to", str(small))
        with (small / "others").open("wb") as file:
            file.write(bytes(28_000_000))
        said = portal.refused("backup", "--to", str(small), "--keep", "1")
        assert "free, a backup may take" in said
        (small / "others").unlink()
        fill = "import sys, resource; from portal.operating.backups import folder; folder.SPARE = 0; "
        fill += (
            "folder.expected_size = lambda *a: 0; from django.core.management import execute_from_command_line as run; "
        )
        fill += "run(['manage.py', *sys.argv[1:]])"
        free = os.statvfs(small)
        with (small / "others").open("wb") as file:
            file.write(bytes(free.f_bavail * free.f_frsize - 100_000))
        full = subprocess.run(
            [sys.executable, "-c", fill, "backup", "--to", str(small), "--keep", "1"], cwd=ROOT,
            env={**portal.environment, "DJANGO_SETTINGS_MODULE": "portal.settings"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert full.returncode == 1
        assert f"The disk of {small} is full" in full.stderr or "database or disk is full" in full.stderr
        assert full.stderr.count("\n") == 1
        assert [each.path for each in folder.complete(small)] == [before]
        assert not list(small.glob(f"{folder.PART}*"))
    finally:
        subprocess.run(["umount", small], check=True)


def test_the_password_is_on_no_command_line_and_in_no_output(on_postgresql, server, tmp_path):
    with psycopg.connect(server.url("portal"), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS dumper")
        connection.execute("CREATE ROLE dumper LOGIN SUPERUSER PASSWORD 'correct-horse'")
    url = f"postgres://dumper:correct-horse@127.0.0.1:{server.port}/portal"
    with psycopg.connect(server.url("portal")) as holding:
        holding.execute("LOCK TABLE audit_auditevent IN ACCESS EXCLUSIVE MODE")
        running = begun(on_postgresql, tmp_path, DATABASE_URL=url)
        wait_until((tmp_path / f"{folder.PART}backup").exists)
        wait_until(lambda: any("pg_dump" in line for line in command_lines()))
        shown = [line for line in command_lines() if "pg_dump" in line or "manage.py backup" in line]
        assert "dumper" in " ".join(shown)
        assert "correct-horse" not in " ".join(command_lines())
        holding.rollback()
    said = "".join(running.communicate(timeout=60))
    assert running.returncode == 0
    assert "correct-horse" not in said
    assert "correct-horse" not in "".join(path.read_text(errors="replace") for path in tmp_path.glob("*.json"))


def test_what_another_database_is_called_does_not_leave_the_folder():
    assert Database(is_sqlite=False, name="../../etc/x y").label == "______etc_x_y"


def command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def begun(portal, to: Path, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        # As a terminal starts it: what begins in the background of a script is told to hear no Ctrl-C.
        ["env", "--default-signal=INT", sys.executable, "manage.py", "backup", "--to", str(to)],
        cwd=ROOT, env={**portal.environment, **settings},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_until(is_so) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come about")
