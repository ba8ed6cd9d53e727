"""The roles of a PostgreSQL database: who owns the tables, who serves, who only reads (security AU-3, SC-4).

The owner runs migrations and nothing else. The role that serves pages, bots and `work` owns nothing: it may add to the
history, and neither change nor empty it, nor put its triggers aside. An app names its tables in its AppConfig:
`only_added` are those of whose rows none is ever changed or removed, `never_removed` those whose rows may change,
`never_reported` those that the role for reports does not read, since who reads them could act as somebody, and
`unreported_fields` the columns of other tables of which the same is true.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# What the web role reads and never writes: which migrations were applied is the owner's to say.
ONLY_READ: Final = ("django_migrations",)


class WrongRole(Exception):
    """The roles cannot be set up so. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of roles in the database; an empty one is left out."""

    web: str = ""
    readonly: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """Those that were named."""
        return tuple(filter(None, (self.web, self.readonly)))


def only_added() -> tuple[str, ...]:
    """The tables of whose rows none is ever changed or removed."""
    return _tables("only_added")


def never_removed() -> tuple[str, ...]:
    """The tables whose rows may change, but are never removed."""
    return _tables("never_removed")


def never_reported() -> tuple[str, ...]:
    """The tables that hold what opens a door: the role for reports does not read them."""
    return _tables("never_reported")


def unreported_columns() -> dict[str, tuple[str, ...]]:
    """By table the columns that prove who somebody is: the role for reports reads the others of these tables."""
    found: dict[str, tuple[str, ...]] = {}
    for config in apps.get_app_configs():
        for name, hidden in getattr(config, "unreported_fields", {}).items():
            meta = config.get_model(name)._meta
            columns = {field.name: str(field.column) for field in meta.local_concrete_fields}
            found[meta.db_table] = tuple(columns[field] for field in hidden)
    return found


def statements(roles: Roles) -> list[str]:
    """What gives both roles what they need for every table there is and will be, and nothing more. May run again."""
    quote = connection.ops.quote_name
    database, schema = quote(str(connection.settings_dict["NAME"])), quote(_asked("SELECT current_schema()"))
    found = [
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
    ]
    for name in roles.all:
        role = quote(name)
        found += [
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
            f"REVOKE CREATE ON SCHEMA {schema} FROM {role}",
            f"REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM {role}",
            f"GRANT CONNECT ON DATABASE {database} TO {role}",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
        ]
    if roles.readonly:
        reads = quote(roles.readonly)
        found += [f"REVOKE ALL ON TABLE {schema}.{quote(table)} FROM {reads}" for table in never_reported()]
        found += _of_columns(reads, schema)
    if roles.web:
        found += _of_web(quote(roles.web), schema)
    return found


def apply(roles: Roles) -> list[str]:
    """Make the roles that are missing, and give both what they need, in one transaction; says which were made.

    Raises: WrongRole.
    """
    _refuse_wrong(roles)
    quote = connection.ops.quote_name
    with transaction.atomic(), connection.cursor() as cursor:
        missing = [name for name in roles.all if not _is_there(cursor, name)]
        for name in missing:
            cursor.execute(f"CREATE ROLE {quote(name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION")
        for statement in statements(roles):
            cursor.execute(statement)
    return missing


def may_rewrite_history() -> bool:
    """Whether the role of this connection could change the history, or put aside what keeps it from that.

    False on SQLite, where a file has no roles: there nothing is claimed.
    """
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(bool_or(pg_has_role(current_user, relowner, 'MEMBER')"
            " OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')), false)"
            " FROM pg_class c WHERE c.relname = ANY(%s) AND c.relnamespace = current_schema()::regnamespace",
            [list(only_added())],
        )
        return bool(cursor.fetchone()[0])


def _of_columns(role: str, schema: str) -> Iterator[str]:
    """A grant of a whole table covers each of its columns, whatever is revoked of one: so the others are given."""
    quote = connection.ops.quote_name
    models = {model._meta.db_table: model for model in apps.get_models()}
    for table, hidden in unreported_columns().items():
        columns = (str(field.column) for field in models[table]._meta.local_concrete_fields)
        shown = ", ".join(quote(column) for column in columns if column not in hidden)
        yield f"REVOKE ALL ON TABLE {schema}.{quote(table)} FROM {role}"
        yield f"GRANT SELECT ({shown}) ON TABLE {schema}.{quote(table)} TO {role}"


def _of_web(role: str, schema: str) -> Iterator[str]:
    yield f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT INSERT, UPDATE, DELETE ON TABLES TO {role}"
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role}"
    for rights, tables in (
        ("UPDATE, DELETE", only_added()),
        ("DELETE", never_removed()),
        ("INSERT, UPDATE, DELETE", ONLY_READ),
    ):
        for table in tables:
            yield f"REVOKE {rights} ON TABLE {schema}.{connection.ops.quote_name(table)} FROM {role}"


def _refuse_wrong(roles: Roles) -> None:
    if connection.vendor != "postgresql":
        raise WrongRole("Only PostgreSQL has roles.")
    if roles.web and roles.web == roles.readonly:
        raise WrongRole("The role that serves and the one that only reads must be two.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname = ANY(%s) "
            "AND relnamespace = current_schema()::regnamespace AND NOT pg_has_role(current_user, relowner, 'USAGE')",
            [[*only_added(), *never_removed()]],
        )
        if others := [str(name) for (name,) in cursor.fetchall()]:
            raise WrongRole(f"Run this as the role that owns the tables: {', '.join(others)}.")
        for name in roles.all:
            cursor.execute(
                "SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s", [name]
            )
            row = cursor.fetchone()
            if row is not None and row[0]:
                raise WrongRole(f"{name} is a superuser, or has the rights of the owner: nothing could bind it.")


def _is_there(cursor: CursorWrapper, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    return cursor.fetchone() is not None


def _asked(question: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return str(cursor.fetchone()[0])


def _tables(attribute: str) -> tuple[str, ...]:
    return tuple(
        config.get_model(name)._meta.db_table
        for config in apps.get_app_configs()
        for name in getattr(config, attribute, ())
    )
