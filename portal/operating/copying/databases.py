"""The two databases of a copying: each can stand for a while where everything else finds *the* database."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from environ import Env

from portal import databases
from portal.core.database import at_hand
from portal.core.database.long_commands import Busy, alone, unhurried

# SQLite: nobody else may be connected, and nobody comes in while this connection is open.
FOR_ITSELF: Final = "PRAGMA locking_mode=EXCLUSIVE; "
WAITED_SECONDS: Final = 5.0
OTHERS: Final = """
    SELECT concat_ws(' ', usename, nullif(application_name, ''), host(client_addr)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    ORDER BY backend_start LIMIT 1
"""


class CannotCopy(Exception):
    """Why not, in one line for the operator."""


@dataclass(frozen=True, slots=True)
class Database:
    """A connection of this process's own, and what its database is called without a password."""

    wrapper: BaseDatabaseWrapper
    said: str

    @contextmanager
    def current(self) -> Iterator[None]:
        """Let models, commands and hot statements speak with this one while it lasts."""
        before = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self.wrapper
        at_hand.forget()
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = before
            at_hand.forget()

    @property
    def is_postgresql(self) -> bool:
        """Or else SQLite."""
        return self.wrapper.vendor == "postgresql"

    def close(self) -> None:
        """End the connection, and with it what it held."""
        self.wrapper.close()


def source() -> Database:
    """The database of DATABASE_URL."""
    before = connections[DEFAULT_DB_ALIAS]
    before.close()
    given = dict(before.settings_dict)
    if before.vendor == "sqlite":
        options = dict(given["OPTIONS"])
        options.update(init_command=FOR_ITSELF + options.get("init_command", ""), timeout=WAITED_SECONDS)
        given["OPTIONS"] = options
    return Database(_wrapper(given), _said(given))


def target(url: str) -> Database:
    """The PostgreSQL database that the URL names.

    Raises: CannotCopy where it names none, or the one that is copied.
    """
    if not url.startswith(("postgres://", "postgresql://")):
        raise CannotCopy("--to names a database of PostgreSQL: postgres://user@host:5432/name.")
    try:
        found = databases.settled(Env.db_url_config(url))
    except (ImproperlyConfigured, ValueError) as error:
        raise CannotCopy(f"--to: {error}") from None
    default = connections[DEFAULT_DB_ALIAS].settings_dict
    given = {**default, **dict.fromkeys(("USER", "PASSWORD", "HOST", "PORT"), ""), **found}
    if all(str(given[name]) == str(default[name]) for name in ("ENGINE", "NAME", "HOST", "PORT")):
        raise CannotCopy("--to names the database of DATABASE_URL itself.")
    return Database(_wrapper(given), _said(given))


@contextmanager
def standing_still(database: Database) -> Iterator[None]:
    """Keep a source as it is while it lasts: who is connected has to be gone, and nobody writes.

    Raises: CannotCopy if somebody else is connected, or holds on to it.
    """
    with database.current(), ExitStack() as held:
        try:
            held.enter_context(unhurried())
            held.enter_context(transaction.atomic())
            if database.is_postgresql:
                _nobody_else(database)
                _hold_tables(database)
            else:
                _asked(database, "SELECT count(*) FROM sqlite_master")
        except OperationalError as error:
            if "database is locked" in str(error) or "lock timeout" in str(error):
                raise CannotCopy(
                    f"{database.said} is in use: stop every node, `work` and whatever else has it open."
                ) from None
            raise
        yield


@contextmanager
def ours(database: Database) -> Iterator[None]:
    """Be the only copying at work in a target while it lasts.

    Raises: CannotCopy.
    """
    with database.current():
        try:
            with unhurried(), alone("copydatabase"):
                yield
        except Busy:
            raise CannotCopy(f"Another copydatabase is at work in {database.said}, or its last statement is.") from None


def _nobody_else(database: Database) -> None:
    until = monotonic() + WAITED_SECONDS
    while other := _asked(database, OTHERS):
        if monotonic() > until:
            raise CannotCopy(f"{database.said} is in use by {other}: stop every node and `work`, and close psql.")
        # Of a copying that was killed a moment ago.
        sleep(0.2)


def _hold_tables(database: Database) -> None:
    with database.wrapper.cursor() as cursor:
        tables = ", ".join(map(database.wrapper.ops.quote_name, database.wrapper.introspection.table_names(cursor)))
        if tables:
            cursor.execute(f"LOCK TABLE {tables} IN SHARE MODE")


def _asked(database: Database, question: str) -> object:
    with database.wrapper.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
        return row and row[0]


def _wrapper(given: Mapping[str, Any]) -> BaseDatabaseWrapper:
    wrapper: BaseDatabaseWrapper = load_backend(given["ENGINE"]).DatabaseWrapper(dict(given), DEFAULT_DB_ALIAS)
    return wrapper


def _said(given: Mapping[str, Any]) -> str:
    if given["ENGINE"].endswith("sqlite3"):
        return str(given["NAME"])
    return f"{given['NAME']} at {given['HOST'] or 'the local socket'}"
