"""The runbooks about keys, carried out: each command as it stands there, on a node with the demo's secrets."""

import json
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from portal.core.secrets.sealing import parse_sealing_keys
from tests import postgresql_server
from tests.database import kept_demo
from tests.operating.runbooks.installed import RUNBOOKS, Node, blocks, node

pytestmark = [pytest.mark.slow, pytest.mark.long]
ROTATE = "rotate-keys.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node with the demo, whose secrets were sealed under a key of its own."""
    folder = tmp_path_factory.mktemp("node")
    found, data = node(folder / "etc"), folder / "var"
    kept_demo.begun(data)
    made = json.loads((data / "keys.json").read_text())
    found.write(
        {
            "PORTAL_DEBUG": "1",
            "PORTAL_VAR": str(data),
            "PORTAL_SECRET_KEY": made["secret_key"],
            "PORTAL_SEALING_KEYS": made["sealing_keys"],
            "DATABASE_URL": f"sqlite:///{data / 'portal.sqlite3'}",
        }
    )
    return found


def sealed_under(found: Node) -> set[str]:
    """The names of the keys under which secrets of bots lie."""
    with sqlite3.connect(found.settings["DATABASE_URL"].removeprefix("sqlite:///")) as database:
        rows = database.execute("SELECT sealed_secret FROM accounts_apikey WHERE sealed_secret != ''")
        return {row[0].partition(".")[0] for row in rows}


def test_sealing_keys_are_exchanged_as_it_says(installed):
    before = installed.settings["PORTAL_SEALING_KEYS"]
    (old,) = parse_sealing_keys(before)
    appended, in_front, seal, left, drop = blocks(ROTATE, "Sealing keys")
    assert sealed_under(installed) == {old}
    installed.run(appended)
    after = installed.settings["PORTAL_SEALING_KEYS"]
    assert after.startswith(f"{before},-k")
    (new,) = parse_sealing_keys(after).keys() - {old}
    installed.run(in_front)
    assert installed.settings["PORTAL_SEALING_KEYS"].startswith(f"{new}:")
    assert installed.settings["PORTAL_SEALING_KEYS"].endswith(f",{before}")
    assert installed.run(left, check=False).returncode == 1
    installed.run(seal)
    installed.run(left)
    assert sealed_under(installed) == {new}
    installed.run(drop)
    assert list(parse_sealing_keys(installed.settings["PORTAL_SEALING_KEYS"])) == [new, old]
    for block in (appended, in_front, seal, drop):
        installed.run(block)
    # The one between is gone, and the last one stays.
    (newest,) = sealed_under(installed)
    assert list(parse_sealing_keys(installed.settings["PORTAL_SEALING_KEYS"])) == [newest, old]
    assert newest not in {new, old}
    installed.run("countersign verifyaudit")


def test_a_node_with_another_key_under_that_name_says_so_and_does_not_start(installed):
    settings = installed.settings
    name, _, rest = settings["PORTAL_SEALING_KEYS"].partition(":")
    other = "CoHaeTTI4Y0w7SAbp7ZpF2nO1xGpN6dQvFMF2lVgGyE="
    try:
        installed.write({**settings, "PORTAL_SEALING_KEYS": f"{name}:{other}{rest[rest.find(',') :]}"})
        refused = installed.run("systemctl restart countersign-web", check=False)
        assert refused.returncode != 0
        assert "is not the key that has sealed this database" in refused.stderr
    finally:
        installed.write(settings)


def test_the_secret_key_is_exchanged_as_it_says(installed):
    before = installed.settings["PORTAL_SECRET_KEY"]
    (exchange,) = blocks(ROTATE, "The secret key")
    installed.run(exchange)
    after = installed.settings["PORTAL_SECRET_KEY"]
    assert after != before
    assert len(after) == 88
    assert set(parse_sealing_keys(installed.settings["PORTAL_SEALING_KEYS"])), "the rest stands as it stood"


def test_the_recipient_of_backups_is_written_as_it_says(installed):
    (write,) = blocks(ROTATE, "The key of backups")
    (installed.etc / "new-backup-key.pub").write_text("age1newer\n")
    settings = installed.settings
    try:
        with (installed.etc / "environment").open("a") as file:
            file.write("#PORTAL_BACKUP_RECIPIENT=\n")
        installed.run(write)
        assert installed.settings["PORTAL_BACKUP_RECIPIENT"] == "age1newer"
    finally:
        installed.write(settings)


def test_history_and_ledger_are_looked_at_as_it_says(installed):
    """Of hostile-insider.md: lines that were kept, and what they show once an event is gone."""
    *_, look, keep, _ = blocks("hostile-insider.md", "Somebody with a shell or the database")
    installed.run(keep)
    kept = installed.etc / "kept.txt"
    assert kept.read_text()
    bring, verify, ledger, _ = look.replace("/tmp/", f"{installed.etc}/brought-").splitlines()
    for each in (bring, verify, ledger):
        installed.run(each)
    lines = kept.read_text().splitlines()
    name, length, *rest = lines[0].split(" ")
    kept.write_text("\n".join([" ".join([name, str(int(length) + 1), *rest]), *lines[1:]]) + "\n")
    installed.run(bring)
    lost = installed.run(verify, check=False)
    assert lost.returncode == 1
    assert name in lost.stderr


def test_each_block_is_a_program_that_a_shell_can_read():
    for runbook in ("rotate-keys.md", "leaked-key.md", "hostile-insider.md"):
        assert f"({runbook})" in (RUNBOOKS / "README.md").read_text()
        for block in blocks(runbook):
            subprocess.run(["bash", "-n", "-c", block], check=True, timeout=20)


@pytest.mark.postgresql
@pytest.mark.skipif(postgresql_server.programs() is None, reason="no PostgreSQL server is installed")
def test_the_password_of_a_role_is_exchanged_as_it_says(tmp_path: Path):
    """With a database of its own, whose superuser is asked as on a node."""
    # PostgreSQL does not run as who we may be, and has to reach its own.
    with (
        tempfile.TemporaryDirectory(prefix="runbooks-postgresql-") as folder,
        postgresql_server.running(Path(folder)) as server,
    ):
        url = server.url("postgres")
        programs = {"runuser": f'#!/bin/bash\nshift 4\nexec psql "$@" --dbname "{url}"\n'}
        found = node(tmp_path / "etc", **programs)
        found.run(f"psql --dbname '{url}' --command \"CREATE ROLE countersign_web LOGIN PASSWORD 'before'\"")
        where = url.partition("://")[2].rpartition("@")[2]
        found.write({"DATABASE_URL": f"postgres://countersign_web:before@{where}"})
        block, _ = blocks(ROTATE, "Passwords of the database's roles")
        kept = "SELECT rolpassword FROM pg_authid WHERE rolname = 'countersign_web'"
        ask = f"psql --tuples-only --dbname '{url}' --command \"{kept}\""
        before = found.run(ask).stdout
        # What is restarted then needs tables, which this database has not.
        found.run(block.rpartition("systemctl")[0])
        assert found.run(ask).stdout not in {before, ""}
        after = found.settings["DATABASE_URL"]
        assert ":before@" not in after
        who = found.run(f"psql --tuples-only --dbname '{after}' --command 'SELECT current_user'")
        assert who.stdout.strip() == "countersign_web"
