"""The database: each host that DATABASE_URL names, what it is, and as whom the portal comes."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
from django.db import connection
from django.utils import timezone

from portal.audit import roles, roles_check
from portal.core.database.postgresql import hosts
from portal.operating.doctor.findings import Finding, Words, first_line

# What of the portal's own settings says where and as whom to connect; the rest is about what is asked there.
GIVEN: Final = (
    "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "connect_timeout",
)  # fmt: skip
# The last day on which faults of a version are mended (postgresql.org/support/versioning).
MENDED_UNTIL: Final = {
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
DEFAULT_PORT: Final = "5432"
# Beside sockets, which are files. What goes to any other host goes over a network.
HERE: Final = {"", "localhost", "127.0.0.1", "::1"}
# With any other `sslmode` libpq takes whoever answers for the server, by default even without TLS.
PROVING: Final = {"verify-ca", "verify-full"}
SLOW_MILLISECONDS: Final = 50
ROLES: Final = "As the owner: manage.py databaseroles --web NAME; then put that role into DATABASE_URL."
words = Words("database")


@dataclass(frozen=True, slots=True)
class Host:
    """One server as it answered."""

    place: str
    version: int
    is_standby: bool
    milliseconds: float


def look() -> Iterator[Finding]:
    """Each host by itself, whichever of them the portal would take."""
    if connection.vendor != "postgresql":
        yield words.warn(
            "SQLite: one file, on this machine alone",
            "Fine for trying it out. docs/operating.md says how to come to PostgreSQL.",
        )
        return
    found = []
    for place, settings in _places():
        try:
            found.append(_asked(place, settings))
            yield from _on_the_way(place, settings)
        except psycopg.Error as error:
            yield words.wrong(f"{place} does not answer: {first_line(error)}", _do(error))
    yield from (_of(host) for host in found)
    primaries = [host.place for host in found if not host.is_standby]
    if found and not primaries:
        yield words.wrong(
            "no host takes changes: all are standbys", "Promote one, or see why none was (patronictl list)."
        )
    if len(primaries) > 1:
        yield words.wrong(
            f"{' and '.join(primaries)} both take changes: they are two databases",
            "Stop the nodes, find out which one is right, and make the other its standby again.",
        )
    for version in sorted({host.version for host in found}):
        yield from _version(version)


def look_at_role() -> Iterator[Finding]:
    """Whether the role that serves could undo the history."""
    about = Words("database role")
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        name, *powers = cursor.fetchone()
    if any(powers):
        yield about.wrong(f"{name} is a superuser, or may make roles: nothing binds it", ROLES)
    elif roles.may_rewrite_history():
        yield about.wrong(roles_check.OWNS, ROLES)
    else:
        yield about.ok(f"{name} owns no table and cannot rewrite the history")


def _places() -> Iterator[tuple[str, dict[str, Any]]]:
    given = connection.get_connection_params()
    kept = {name: given[name] for name in GIVEN if given.get(name) not in {None, ""}}
    for host, port in hosts.places(given):
        at = {**({"host": host} if host else {}), "port": port or DEFAULT_PORT}
        yield f"{host or 'the local socket'}:{port or DEFAULT_PORT}", {**kept, **at}


def _asked(place: str, settings: dict[str, Any]) -> Host:
    with psycopg.connect(**settings, autocommit=True) as raw:
        began = time.monotonic()
        row = raw.execute("SELECT current_setting('server_version_num')::int, pg_is_in_recovery()").fetchone()
        took = (time.monotonic() - began) * 1000
    version, is_standby = row or (0, False)
    return Host(place, version, is_standby, took)


def _on_the_way(place: str, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether somebody between here and the server could take its place."""
    host = str(settings.get("host", ""))
    if host not in HERE and not host.startswith("/") and settings.get("sslmode") not in PROVING:
        yield words.warn(
            f"{place} proves nothing: whoever stands in between can read what is asked, and answer in its place",
            "sslmode=verify-full&sslrootcert=FILE behind the ? of DATABASE_URL; FILE has who signed its certificate.",
        )


def _of(host: Host) -> Finding:
    major, minor = divmod(host.version, 10_000)
    what = "a standby" if host.is_standby else "takes changes"
    said = f"{host.place} answers in {host.milliseconds:.0f} ms, PostgreSQL {major}.{minor}, {what}"
    if host.milliseconds > SLOW_MILLISECONDS:
        return words.warn(said, "A signed call asks several times: put nodes and database near each other.")
    return words.ok(said)


def _version(version: int) -> Iterator[Finding]:
    major = version // 10_000
    least = connection.features.minimum_database_version or (0,)
    if major < least[0]:
        yield words.wrong(f"PostgreSQL {major} is older than the portal can use", f"Upgrade to {max(MENDED_UNTIL)}.")
    elif (until := MENDED_UNTIL.get(major)) is not None and until < _today():
        yield words.warn(
            f"faults of PostgreSQL {major} are mended no longer, since {until}", "Upgrade it (pg_upgrade)."
        )


def _today() -> date:
    return timezone.now().date()


def _do(error: psycopg.Error) -> str:
    said = str(error)
    if "password" in said or "no pg_hba.conf entry" in said:
        return "Set name and password in DATABASE_URL right, and let this machine in (pg_hba.conf)."
    if "does not exist" in said:
        return "Make the database and its roles: docs/operating.md."
    if "too many" in said or "remaining connection slots" in said:
        return "Raise max_connections, or put PgBouncer in between."
    return "See whether it runs (systemctl status postgresql), and whether this machine reaches its port."
