"""Back to the moment before a mistake: the steps of the runbooks, as they stand, on a PostgreSQL of our own."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pyrage
import pytest

from tests import postgresql_server
from tests.database import kept_demo
from tests.operating.backups.conftest import backed_up
from tests.serving import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.long]
RUNBOOKS = ROOT / "docs/runbooks"


def blocks(name: str, kind: str) -> str:
    """The commands of a runbook that stand in blocks of that kind, one after the other."""
    found = re.findall(rf"^ *```sh {kind}\n(.*?)^ *```$", (RUNBOOKS / name).read_text(), re.MULTILINE | re.DOTALL)
    assert found
    # In a list they are set in.
    return "\n".join(
        re.sub(r"^   ", "", block, flags=re.MULTILINE) if block.startswith("   ") else block for block in found
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the paths of the runbooks are on this machine, readable by who runs PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="moment-") as made_here:
        path = Path(made_here)
        path.chmod(0o755)
        yield path


def carried_out(text: str, folder: Path, server: postgresql_server.PostgresqlServer, **variables: str) -> None:
    """Run the commands with the paths and the unit of the guide standing for those here."""
    there = {
        "/var/lib/postgresql/15/main": str(server.folder / "data"),
        "/var/backups/postgresql": str(folder / "archive"),
        "/etc/countersign": str(folder),
        "/run/restore": str(folder / "restore"),
    }
    for old, new in there.items():
        text = text.replace(old, new)
    programs = folder / "programs"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE"))},
        "PATH": f"{programs}:{server.programs}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": postgresql_server.SUPERUSER,
        "PGDATABASE": "postgres",
        **variables,
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="the runbook is for root")
@pytest.mark.skipif(shutil.which("age") is None, reason="the program age is not installed")
def test_back_to_the_moment_before_a_mistake(folder, tmp_path):
    if reason := postgresql_server.why_none():
        pytest.skip(reason)
    key = pyrage.x25519.Identity.generate()
    (folder / "key").write_text(f"{key}\n")
    (folder / "backup-recipients").write_text(f"{key.to_public()}\n")
    archive = folder / "archive"
    archive.mkdir()
    shutil.chown(archive, "postgres")
    config = (ROOT / "deploy/postgresql/archiving.conf").read_text()
    config = config.replace("/var/backups/postgresql", str(archive)).replace("/etc/countersign", str(folder))
    (folder / "archiving.conf").write_text(config)
    for path in folder.iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)
    base = folder / "server"
    base.mkdir()
    with (
        kept_demo.on_postgresql(base) as first,
        backed_up(base / "var", tmp_path / "portal", DATABASE_URL=first.url(kept_demo.DEMO)) as portal,
    ):
        first.stop()
        with (base / "data/postgresql.conf").open("a") as file:
            file.write(f"\ninclude '{folder}/archiving.conf'\n")
        server = replace(first, options=first.options)
        server.start()
        programs(folder, server)
        carried_out(blocks("back-up.md", "pitr"), folder, server)
        with psycopg.connect(server.url("portal"), autocommit=True) as connection:
            portal.done("paperdeposit", "--organization", "Demo Treasury", "--asset", "BTC", "--amount", "1.25")
            whole = portal.done("verifyaudit")
            deposits = connection.execute("SELECT count(*) FROM paper_deposit").fetchone()
            time.sleep(1)
            moment = connection.execute("SELECT now()::text").fetchone()
            time.sleep(1)
            # The mistake.
            connection.execute("TRUNCATE paper_deposit CASCADE")
            connection.execute("SELECT pg_switch_wal()")
            archived(connection)
        assert moment is not None
        newest = str(max(archive.glob("base-*.tar.age")))
        steps = blocks("restore.md", "pitr").split("runuser -u postgres -- psql")
        carried_out(steps[0], folder, server, KEY=str(folder / "key"), BASE=newest, MOMENT=moment[0])
        with psycopg.connect(server.url("portal"), autocommit=True) as connection:
            for _ in range(600):
                if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                    break
                time.sleep(0.1)
            assert connection.execute("SELECT count(*) FROM paper_deposit").fetchone() == deposits
        carried_out("runuser -u postgres -- psql" + steps[1], folder, server)
        assert portal.done("verifyaudit") == whole
        for line in blocks("restore.md", "pitr-portal").splitlines():
            portal.typed.done(*line.removeprefix("countersign ").split())


def programs(folder: Path, server: postgresql_server.PostgresqlServer) -> None:
    """`systemctl` for the one unit that there is: this PostgreSQL."""
    where = folder / "programs"
    where.mkdir()
    options = " ".join(f"-c {option}" for option in (*server.options, f"port={server.port}"))
    start = f"start -w -t 60 -l {server.folder}/log -o '{options}'"
    (where / "systemctl").write_text(
        "#!/bin/sh\nset -e\ntest \"$2\" = postgresql@15-main\ncd /\n"
        f"case $1 in start) set -- {start};; stop) set -- stop -w -m fast;; esac\n"
        f'exec runuser -u postgres -- {server.programs}/pg_ctl -D {server.folder}/data "$@" >/dev/null\n'
    )  # fmt: skip
    (where / "systemctl").chmod(0o755)


def archived(connection: "psycopg.Connection[tuple[str, ...]]") -> None:
    """Wait until all that was written until now lies in the archive."""
    last = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
    assert last is not None
    for _ in range(600):
        row = connection.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
        if row is not None and row[0] and row[0] >= f"{int(last[0], 16) - 1:024X}":
            return
        time.sleep(0.1)
    raise AssertionError("nothing is archived")
