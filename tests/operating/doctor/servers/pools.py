"""A PgBouncer of our own in front of the database of the tests."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.ports import lasting

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def straight(given: dict[str, Any]) -> dict[str, Any]:
    """How to connect past it."""
    return {
        "host": given["HOST"], "port": given["PORT"] or 5432, "dbname": given["NAME"], "user": given["USER"],
        "password": given["PASSWORD"],
    }  # fmt: skip


@contextmanager
def running(mode: str, given: dict[str, Any]) -> Iterator[int]:
    """Its port. Skips the test, saying so, where there is none; fails it where nothing may be skipped."""
    if PROGRAM is None or os.geteuid() != 0:
        reason = "pgbouncer is not installed, or nobody may start it as another user"
        if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Not one of pytest's, which are shut to other users anew at each run.
    with tempfile.TemporaryDirectory() as name:
        yield from _running(Path(name), mode, straight(given))


def _running(folder: Path, mode: str, to: dict[str, Any]) -> Iterator[int]:
    port = lasting()
    (folder / "users").write_text(f'"{to["user"]}" "{to["password"]}"\n')
    (folder / "ini").write_text(
        f"[databases]\n{to['dbname']} = host={to['host']} port={to['port']}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {folder}/users\npool_mode = {mode}\nignore_startup_parameters = options\n"
    )
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "postgres")
    assert PROGRAM is not None
    process = subprocess.Popen(
        [PROGRAM, "-q", "-u", "postgres", str(folder / "ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, to)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, to: dict[str, Any]) -> None:
    for _ in range(100):
        try:
            psycopg.connect(**{**to, "host": "127.0.0.1", "port": port}).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("pgbouncer does not answer")
