"""A database as it is named in DATABASE_URL: how programs reach it, without its password on any command line."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import psycopg
from django.conf import settings
from environ import Env
from psycopg import conninfo, pq

from portal.operating.backups.failures import Failed

# What libpq knows; the rest of the options is Django's and psycopg's. `options` holds our own time limits.
KEYWORDS: Final = {each.keyword.decode() for each in pq.Conninfo.get_defaults()} - {
    "dbname", "host", "options", "password", "port", "user",
}  # fmt: skip
SCHEMES: Final = ("postgres://", "postgresql://", "sqlite:///")


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is. For SQLite `name` is the file, and all else is empty."""

    is_sqlite: bool
    name: str
    host: str = ""
    port: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """What its backups are called by."""
        name = Path(self.name).stem if self.is_sqlite else self.name
        return "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "_-" else "_" for letter in name)

    @property
    def path(self) -> Path:
        """The file of an SQLite database."""
        return Path(self.name)

    def named(self, name: str) -> "Database":
        """Another database of the same server, or another file."""
        return replace(self, name=name)

    def at(self, host: str, port: int) -> "Database":
        """The same at one of its hosts alone."""
        options = tuple(pair for pair in self.options if pair[0] not in {"hostaddr", "target_session_attrs"})
        return replace(self, host=host, port=str(port), options=options)

    def taking_changes(self) -> "Database":
        """The same: of several hosts the one that takes changes, unless it says another one itself."""
        if "," not in self.host or "target_session_attrs" in dict(self.options):
            return self
        return replace(self, options=(*self.options, ("target_session_attrs", "read-write")))

    def conninfo(self, **more: str) -> str:
        """What libpq is told, without the password."""
        said = {"host": self.host, "port": self.port, "user": self.user, "dbname": self.name}
        given: dict[str, Any] = {**dict(self.options), **{key: text for key, text in said.items() if text}, **more}
        return conninfo.make_conninfo("", **given)

    def environment(self) -> dict[str, str]:
        """The variables of a program that connects to it. Without a password libpq looks into PGPASSFILE."""
        return {**os.environ, **({"PGPASSWORD": self.password} if self.password else {})}

    def connect(self, **more: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection that commits each statement by itself.

        Raises: Failed where it does not answer, or lets nobody in.
        """
        password = {"password": self.password} if self.password else {}
        try:
            return psycopg.connect(conninfo.make_conninfo(self.conninfo(**more), **password), autocommit=True)
        except psycopg.Error as error:
            raise Failed(f"{self.name} cannot be reached: {' '.join(str(error).split())}") from error

    def url(self, **more: str) -> str:
        """The DATABASE_URL of a process that works there; it holds the password, so it goes through the environment."""
        if self.is_sqlite:
            return f"sqlite:///{quote(self.name)}"
        hosts, ports = self.host.split(","), self.port.split(",")
        ports += ports[-1:] * (len(hosts) - len(ports))
        where = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
        who = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        return f"postgres://{who}@{where}/{quote(self.name, safe='')}?{urlencode({**dict(self.options), **more})}"


def own() -> Database:
    """The portal's own."""
    return _of(settings.DATABASES["default"])


def of_url(url: str) -> Database:
    """The one that the URL names.

    Raises: Failed for what is no such URL.
    """
    if not url.startswith(SCHEMES):
        raise Failed("A database is named as in DATABASE_URL: postgres://USER@HOST/NAME, or sqlite:///FILE.")
    try:
        read = Env.db_url_config(url)
    except ValueError as error:
        raise Failed("That URL of a database cannot be read.") from error
    if read["NAME"] in {"", ":memory:"}:
        raise Failed("That URL names no database.")
    return _of(read)


def _of(read: dict[str, Any]) -> Database:
    if str(read["ENGINE"]).endswith("sqlite3"):
        return Database(is_sqlite=True, name=str(Path(read["NAME"]).absolute()))
    given = dict(read.get("OPTIONS") or {})
    return Database(
        is_sqlite=False,
        name=str(read["NAME"]),
        host=str(read.get("HOST") or given.get("host") or ""),
        port=str(read.get("PORT") or given.get("port") or ""),
        user=str(read.get("USER") or ""),
        password=str(read.get("PASSWORD") or ""),
        options=tuple((name, str(value)) for name, value in given.items() if name in KEYWORDS),
    )
