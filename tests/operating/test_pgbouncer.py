"""Through PgBouncer by transaction, set up as `deploy` has it: the tests of what must not go wrong, run once more."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests import ports, postgresql_server
from tests.database import kept_demo
from tests.postgresql_server import PostgresqlServer
from tests.serving import ROOT, surroundings

# Signed calls, nonces that race, a page with all that stands on it, withdrawals, and decisions that race.
ESSENTIAL = (
    "tests/api/limits/test_nonces.py",
    "tests/api/handlers/test_delayed.py",
    "tests/treasury/test_many_at_once.py",
    "tests/policies/changes/test_races.py",
    "tests/dashboard/test_home.py",
)
WITHIN = 500
SAID = "prepare_threshold=none&disable_server_side_cursors=true&lock_timeout=0&statement_timeout=0"
MORE = f"{SAID}&idle_in_transaction_session_timeout=0"


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    reason = postgresql_server.why_none() or ("" if shutil.which("pgbouncer") else "pgbouncer is not installed")
    if reason:
        if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with TemporaryDirectory(prefix="countersign-pool-") as folder, kept_demo.on_postgresql(Path(folder)) as server:
        yield server


@pytest.fixture
def pool(server) -> Iterator[str]:
    """Its address, which leads to that server; all but where things are is as in `deploy`."""
    port = ports.lasting()
    given = server.folder / "pgbouncer.ini"
    (server.folder / "users").write_text('"portal" ""\n')
    text = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text()
    for line, ours in (
        ("* = host=127.0.0.1 port=5432", f"* = host=127.0.0.1 port={server.port}"),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("auth_type = scram-sha-256", "auth_type = trust"),
        ("auth_file = /etc/pgbouncer/userlist.txt", f"auth_file = {server.folder}/users"),
    ):
        assert f"{line}\n" in text
        text = text.replace(f"{line}\n", f"{ours}\n")
    given.write_text(text)
    for path in (given, server.folder / "users"):
        path.chmod(0o644)
    with (server.folder / "pool.log").open("wb") as log:
        command = [*postgresql_server.as_its_user(), "pgbouncer", str(given)]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
    try:
        _wait_for(port, process, server.folder / "pool.log")
        yield f"postgres://portal@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(100):
        assert process.poll() is None, log.read_text()
        try:
            psycopg.connect(f"postgres://portal@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.mark.slow
@pytest.mark.long
def test_what_must_not_go_wrong_does_not_by_transaction(pool, server, tmp_path):
    """fault operations-F9: more than half of all calls failed, for statements of one client met those of another."""
    server.create("test_portal", like=kept_demo.MIGRATED)
    settings = {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path), "DATABASE_URL": f"{pool}/portal?{MORE}"}
    # The pool would hold a database open that is to be dropped; the server goes with it.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--reuse-db", *ESSENTIAL],
        cwd=ROOT, env={**surroundings(), **settings}, capture_output=True, text=True, check=False, timeout=WITHIN,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:]
    with psycopg.connect(server.url("postgres")) as raw:
        commits = raw.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = 'test_portal'").fetchone()
    # They ran there, where only the pool leads to.
    assert commits is not None
    assert commits[0] > 100
