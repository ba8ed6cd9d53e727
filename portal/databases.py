"""How the portal is connected to its database: nothing is waited for without an end, unless DATABASE_URL says so."""

import re
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from environ import Env

# A host that vanishes without a word is noticed after seconds, not after the quarter of an hour that TCP would wait
# (libpq's own names, in seconds; `tcp_user_timeout` in milliseconds).
CONNECTING: Final = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
# What PostgreSQL itself ends, in milliseconds: somebody's forgotten transaction stops no thread for longer than this.
SESSION: Final = {
    "lock_timeout": 4_000,
    "statement_timeout": 30_000,
    "idle_in_transaction_session_timeout": 60_000,
}
DURATION: Final = re.compile(r"[0-9]{1,9}(ms|s|min)?", re.ASCII)
# Without this PostgreSQL plans the signed call's statement anew each time, which halves the rate.
PREPARE_THRESHOLD: Final = 5
# Only hot statements are prepared, and each has one good plan whatever it is told. Left to itself PostgreSQL compares
# costs that it guesses, of arrays above all, and plans many of them anew at each call, which takes longer than they do.
PLANS: Final = "-c plan_cache_mode=force_generic_plan"
# Django's own, which goes to the host that takes changes.
ENGINE: Final = "portal.core.database.postgresql"
# SQLite has one lock for everything. Whoever waits longer for it is told that it cannot be done now.
SQLITE_SECONDS: Final = 10


def named(env: Env, *, default: str) -> dict[str, Any]:
    """What DATABASE_URL says, else `default`, as `environ` reads it.

    Raises: ImproperlyConfigured if it cannot be read, without a letter of it: there is a password in it.
    """
    try:
        found: dict[str, Any] = env.db("DATABASE_URL", default=default)
    except ValueError:
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read. In a password, / is written as %2F, @ as %40, # as %23, ? as %3F, % as %25."
        ) from None
    return found


def settled(url: dict[str, Any]) -> dict[str, Any]:
    """Django's settings of the database that `url`, as `environ` has read it, names; what it says itself stays.

    Raises: ImproperlyConfigured for a time or a threshold that is none.
    """
    database = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, **url}
    given = dict(url.get("OPTIONS") or {})
    if database["ENGINE"].endswith("sqlite3"):
        return {**database, "OPTIONS": _sqlite(given)}
    return {**database, "ENGINE": ENGINE, **_hosts(database, given), "OPTIONS": _postgresql(given)}


def _hosts(database: dict[str, Any], given: dict[str, Any]) -> dict[str, str]:
    """Of several hosts the one that takes changes is meant, unless `given` says otherwise.

    Raises: ImproperlyConfigured where it is not plain which port belongs to which host.
    """
    hosts, ports = str(database.get("HOST") or ""), str(database.get("PORT") or "")
    if "," not in hosts:
        return {}
    given.setdefault("target_session_attrs", "read-write")
    if ports and ports.count(",") != hosts.count(","):
        raise ImproperlyConfigured("DATABASE_URL: name the port of each of several hosts, or of none.")
    # A URL needs the brackets around an address of IPv6, and nobody else does.
    return {"HOST": ",".join(host.strip("[]") for host in hosts.split(",")), "PORT": ports}


def _sqlite(given: dict[str, Any]) -> dict[str, Any]:
    # SQLite has no row locks: a transaction that may write takes the one lock at its start, and waits for it.
    return {
        "timeout": SQLITE_SECONDS,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        **given,
    }


def _postgresql(given: dict[str, Any]) -> dict[str, Any]:
    times = {name: str(given.pop(name, milliseconds)) for name, milliseconds in SESSION.items()}
    for name, time in times.items():
        if not DURATION.fullmatch(time):
            raise ImproperlyConfigured(f"DATABASE_URL: {name} is a number of milliseconds, or ends in s or min.")
    # With 0 it is left to the server, and nothing is said that a pool in between might not pass on.
    said = [f"-c {name}={time}" for name, time in times.items() if time != "0"]
    # What DATABASE_URL says comes last: there it counts.
    options = " ".join([*said, *([PLANS] if said else []), *filter(None, [str(given.pop("options", ""))])])
    threshold = _threshold(given.pop("prepare_threshold", PREPARE_THRESHOLD))
    return {**CONNECTING, **given, "prepare_threshold": threshold, **({"options": options} if options else {})}


def _threshold(given: object) -> int | None:
    """After how many runs a statement is prepared; None for never, which a pool by transaction needs (PgBouncer)."""
    if isinstance(given, int) and given >= 0:
        return given
    if str(given).lower() in {"none", "off"}:
        return None
    raise ImproperlyConfigured("DATABASE_URL: prepare_threshold is a whole number, or none for never.")
