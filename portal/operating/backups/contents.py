"""What a database holds at the moment of its backup, asked of the very snapshot that is dumped."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from portal.core.models import SealingCanary
from portal.core.secrets import sealed_fields, sealing
from portal.operating.backups.failures import Failed
from portal.operating.backups.manifest import Facts

Ask = Callable[[str], Iterable[tuple[Any, ...]]]
# Of the tables that the connection sees: an older schema may lack some that this version knows.
COLUMNS: Final = {
    False: "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()",
    True: "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
}
# The name of the key stands before the first point of what is sealed.
SEALED_UNDER: Final = {
    False: "SELECT DISTINCT split_part({column}, '.', 1) FROM {table} WHERE {column} <> ''",
    True: "SELECT DISTINCT substr({column}, 1, instr({column}, '.') - 1) FROM {table} WHERE {column} <> ''",
}


def facts(ask: Ask, *, is_sqlite: bool) -> Facts:
    """What `ask`, which runs a statement in the snapshot, finds.

    Raises: Failed for a database that no portal has made.
    """
    there = {(str(table), str(column)) for table, column in ask(COLUMNS[is_sqlite])}
    if ("django_migrations", "app") not in there or ("audit_chain", "head") not in there:
        raise Failed("This database holds no portal: there is nothing to back up.")
    migrations: dict[str, list[str]] = {}
    for app, name in ask("SELECT app, name FROM django_migrations ORDER BY app, name"):
        migrations.setdefault(str(app), []).append(str(name))
    heads = ask("SELECT name, length, head FROM audit_chain ORDER BY id")
    chains = [f"{name} {length} {head or '-'}" for name, length, head in heads]
    return Facts(migrations, chains, sorted(_keys(ask, there, is_sqlite=is_sqlite)))


def _keys(ask: Ask, there: set[tuple[str, str]], *, is_sqlite: bool) -> set[str]:
    """The names that stand before what is sealed, and the one under which the history is signed."""
    columns = [(each.model._meta.db_table, each.name) for each in sealed_fields.columns()]
    columns.append((SealingCanary._meta.db_table, "sample"))
    found = {sealing.oldest_key()}
    for table, column in columns:
        if (table, column) in there:
            found |= {str(name) for (name,) in ask(SEALED_UNDER[is_sqlite].format(table=table, column=column))}
    return found
