"""With several hosts in DATABASE_URL a backup is taken from a standby, so that the primary is not in its way."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.operating.backups import manifest
from tests import postgresql_server
from tests.postgresql_server import SUPERUSER, PostgresqlServer

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def standby(on_postgresql, server) -> Iterator[PostgresqlServer]:
    """It follows the server from now on."""
    with (
        tempfile.TemporaryDirectory(prefix="backups-standby-") as made,
        postgresql_server.standby(Path(made), server) as following,
    ):
        yield following


def url(*servers: PostgresqlServer) -> str:
    hosts = ",".join(f"127.0.0.1:{each.port}" for each in servers)
    return f"postgres://{SUPERUSER}@{hosts}/portal"


def test_it_is_taken_from_the_standby_wherever_that_stands(on_postgresql, server, standby, tmp_path):
    backups = [
        on_postgresql.backup("--to", str(tmp_path), DATABASE_URL=each)
        for each in (url(server, standby), url(standby, server))
    ]
    assert [manifest.read(each).taken_from for each in backups] == ["standby", "standby"]
    assert "The drill passed" in on_postgresql.done("restore", "--check", str(backups[-1]))


def test_from_the_primary_where_no_standby_answers(on_postgresql, server, standby, tmp_path):
    standby.stop()
    try:
        backup = on_postgresql.backup("--to", str(tmp_path), DATABASE_URL=url(standby, server))
    finally:
        standby.start()
    assert manifest.read(backup).taken_from == "primary"


def test_from_the_primary_where_the_standby_gives_up(on_postgresql, server, standby, tmp_path):
    """A standby may end what is in the way of what it follows: the primary does it then."""
    failing = tmp_path / "programs"
    failing.mkdir()
    (failing / "pg_dump").write_text(
        f'#!/bin/sh\ncase "$*" in *port={standby.port}*) echo "pg_dump: error: canceled" >&2; exit 1;; esac\n'
        f'exec {server.programs}/pg_dump "$@"\n'
    )
    (failing / "pg_dump").chmod(0o755)
    backup = on_postgresql.backup(
        "--to", str(tmp_path), DATABASE_URL=url(server, standby), PATH=f"{failing}:{os.environ['PATH']}"
    )
    assert manifest.read(backup).taken_from == "primary"
