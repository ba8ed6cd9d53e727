"""A dump into a PostgreSQL database: an empty one for good, or a scratch one that goes again.

What is restored cannot be served before all is done: until then the database's own `search_path` names a schema that is
not there, so that whoever connects as the portal does finds no table. It is set before the first row is loaded, and it
survives whatever kills this process.
"""

import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from portal.operating.backups.age_files import Writable
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed, first_line

NOT_FINISHED: Final = "restore_not_finished"
SCHEMA: Final = "public"
# How we look into it meanwhile.
INSIDE: Final = f"-c search_path={SCHEMA}"
SCRATCH: Final = "countersign_check_"
FORMED: Final = "^countersign_check_[0-9]{14}_[0-9a-f]{8}$"
OBJECTS: Final = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
)
Connected = "psycopg.Connection[tuple[Any, ...]]"


@contextmanager
def scratch(server: Database) -> Iterator[Database]:
    """A database of that server's that is made for this and goes with it; those that a killed run left go first.

    Raises: Failed where the role may not make any.
    """
    with closing(server.connect()) as connection:
        _drop_left(connection)
        name = f"{SCRATCH}{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        # Held as long as this process lives: nobody else takes it for one that was left.
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
        try:
            connection.execute(made)
        except psycopg.Error as error:
            why = first_line(str(error), "refused")
            raise Failed(
                f"No scratch database can be made ({why}): name a role that may (CREATEDB) in --to or PORTAL_DRILL_URL."
            ) from error
        try:
            yield server.named(name)
        finally:
            _drop(connection, name)


@contextmanager
def claimed(target: Database) -> Iterator[Database]:
    """An empty database, marked as not finished until the end of the block is reached.

    Raises: Failed where it is not empty, or not the role's own.
    """
    with closing(target.connect(options=INSIDE)) as connection:
        if _one(connection, OBJECTS):
            raise Failed(f"{target.name} is not empty. Nothing was done: restore into a database that was just made.")
        if not _one(
            connection, "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
        ):
            raise Failed(f"{target.name} belongs to another role: restore as its owner, who runs migrate too.")
        if _one(connection, "SHOW server_encoding") != "UTF8":
            raise Failed(f"{target.name} is not encoded in UTF8: make it anew with ENCODING 'UTF8' TEMPLATE template0.")
    _alter(target, sql.SQL("SET search_path TO {}").format(sql.Literal(NOT_FINISHED)))
    yield target
    _alter(target, sql.SQL("RESET search_path"))


def inside(database: Database) -> str:
    """The URL by which our own commands find the tables of a database that is not finished."""
    return database.url(options=INSIDE)


def load(database: Database, pour: Callable[[Writable], None]) -> None:
    """Let `pour` write a dump, and load it in one transaction: all of it or nothing.

    Raises: Failed, or what `pour` raises.
    """
    command = [_pg_restore(), f"--dbname={database.conninfo(options=INSIDE)}", "--no-password", "--single-transaction"]
    command += ["--exit-on-error", "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - no shell, and nothing of it is a stranger's
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=database.environment()
        )
        assert process.stdin is not None  # noqa: S101 - it was asked for
        try:
            pour(process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            # It has ended, and says why.
            process.wait()
        finally:
            # Whatever else went wrong: it must not take what has come so far for everything.
            if process.stdin.closed is False:
                process.kill()
            process.wait()
        if process.returncode != 0:
            said.seek(0)
            raise Failed(first_line(said.read().decode(errors="replace"), "pg_restore failed"))
    with closing(database.connect(options=INSIDE)) as connection:
        connection.execute("ANALYZE")


def _drop_left(connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
    left = connection.execute(
        "SELECT datname FROM pg_database WHERE datname ~ %s AND pg_has_role(datdba, 'USAGE')", [FORMED]
    ).fetchall()
    for (name,) in left:
        if _one(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name):
            _drop(connection, name)
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def _drop(connection: "psycopg.Connection[tuple[Any, ...]]", name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _alter(target: Database, what: sql.Composable) -> None:
    with closing(target.connect(options=INSIDE)) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(target.name)) + what)


def _one(connection: "psycopg.Connection[tuple[Any, ...]]", statement: str, *values: object) -> object:
    row = connection.execute(statement.encode(), values or None).fetchone()
    return row[0] if row else None


def _pg_restore() -> str:
    found = shutil.which("pg_restore")
    if found is None:
        raise Failed("pg_restore is not installed here: it comes with the package postgresql-client.")
    return found
