"""The portal's own session at the database: what is really in force there, whatever was asked for."""

from collections.abc import Iterator
from typing import Final

import psycopg
from django.db import connection
from django.db.utils import ProgrammingError
from psycopg import errors

from portal import databases
from portal.operating.doctor.findings import Finding, Words

AS_ROLE: Final = "ALTER ROLE {role} SET {name} = '{value}', or take {name}=0 out of DATABASE_URL."
POOLED: Final = (
    "Add prepare_threshold=none&disable_server_side_cursors=true&lock_timeout=0&statement_timeout=0"
    "&idle_in_transaction_session_timeout=0 to DATABASE_URL, and set the times by ALTER ROLE: docs/operating.md."
)
words = Words("database session")


def look() -> Iterator[Finding]:
    """Time-outs, plans, and who stands in between."""
    if connection.vendor != "postgresql":
        return
    endless = [name for name in databases.SESSION if _setting(name) == "0"]
    for name in endless:
        value = f"{databases.SESSION[name] // 1000}s"
        yield words.wrong(
            f"{name} is 0: what waits there waits without an end", AS_ROLE.format(role=_role(), name=name, value=value)
        )
    if not endless:
        yield words.ok("ends what waits: " + ", ".join(f"{name} {_shown(name)}" for name in databases.SESSION))
    if _setting("plan_cache_mode") != "force_generic_plan":
        yield words.warn(
            f"plan_cache_mode is {_setting('plan_cache_mode')}: some signed calls are planned anew each time",
            f"ALTER ROLE {_role()} SET plan_cache_mode = 'force_generic_plan'.",
        )
    if _setting("timezone") not in {"UTC", "Etc/UTC"}:
        yield words.warn(f"the session's time zone is {_setting('timezone')}, not UTC", "Take it out of DATABASE_URL.")
    yield from _pool()


def look_at_safety() -> Iterator[Finding]:
    """What an acknowledged change survives."""
    about = Words("durability")
    if connection.vendor != "postgresql":
        return
    for name in ("fsync", "full_page_writes"):
        if _setting(name) == "off":
            yield about.wrong(f"{name} is off: a crash of the machine breaks the database", f"Set {name} = on.")
    commit, named = _setting("synchronous_commit"), _setting("synchronous_standby_names")
    standbys, in_step = _standbys()
    if commit == "off":
        yield about.wrong("synchronous_commit is off: a crash forgets what was acknowledged", "Set it to on.")
    elif named and commit == "local":
        yield about.wrong(
            "synchronous_commit is local: a failover forgets what was acknowledged", "Set it to remote_apply."
        )
    elif named and not in_step:
        yield about.wrong(
            f"no standby of synchronous_standby_names ({named}) is there: changes wait for it",
            "Bring the standby back, or let Patroni take it off the list.",
        )
    elif named:
        yield about.ok(
            f"synchronous_commit {commit}; {in_step} of {standbys} standbys keep in step: a failover loses nothing"
        )
    elif standbys:
        yield about.warn(
            f"{standbys} standbys, none of them synchronous: a failover may forget the newest",
            "Set synchronous_standby_names, with Patroni synchronous_mode: true.",
        )
    else:
        yield about.ok(f"synchronous_commit {commit}; no standby: its disk and the backups are all there is")


def look_at_connections() -> Iterator[Finding]:
    """Whether there is room for one more node."""
    about = Words("connections")
    if connection.vendor != "postgresql":
        return
    most = int(_setting("max_connections"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        (used,) = cursor.fetchone()
    said = f"{used} of max_connections {most} in use"
    if used > most * 0.8:
        yield about.warn(said, "Raise max_connections, lower PORTAL_THREADS, or put PgBouncer in between.")
    else:
        yield about.ok(said)


def _pool() -> Iterator[Finding]:
    connection.ensure_connection()
    raw = connection.connection
    # A pool tells each client a number of its own instead of that of the server's process.
    if raw.info.backend_pid == _pid():
        return
    threshold = connection.settings_dict["OPTIONS"].get("prepare_threshold")
    if not _is_by_transaction():
        yield words.ok("by way of a pool (PgBouncer), by session")
    elif threshold is None and connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield words.ok("by way of a pool (PgBouncer), by transaction, and prepares nothing")
    else:
        yield words.wrong("by way of a pool (PgBouncer) by transaction, with prepared statements: calls fail", POOLED)


def _is_by_transaction() -> bool:
    """Whether somebody else's transaction takes the server's process that we had a moment ago."""
    own = _pid()
    params = connection.get_connection_params()
    others = []
    try:
        for _ in range(3):
            other = psycopg.connect(**{**params, "prepare_threshold": None, "connect_timeout": 2})
            others.append(other)
            row = other.execute("SELECT pg_backend_pid()").fetchone()
            if row is not None and row[0] == own:
                return True
        return bool(_pid() != own)
    finally:
        for other in others:
            other.close()


def _standbys() -> tuple[int, int]:
    """How many there are, and how many of them a commit waits for. Without the right to see the latter: none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) FROM pg_stat_replication"
        )
        standbys, in_step = cursor.fetchone()
        if standbys and not in_step:
            # Who may not see the state of others can ask for it no other way.
            cursor.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state IS NULL")
            (hidden,) = cursor.fetchone()
            in_step = hidden
    return standbys, in_step


def _pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _role() -> str:
    return str(connection.settings_dict["USER"] or "portal")


def _shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


def _setting(name: str) -> str:
    """As the session has it; empty where the role may not see it."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT setting FROM pg_settings WHERE name ILIKE %s", [name])
        except ProgrammingError as error:
            if isinstance(error.__cause__, errors.InsufficientPrivilege):
                return ""
            raise
        row = cursor.fetchone()
    return str(row[0]) if row else ""
