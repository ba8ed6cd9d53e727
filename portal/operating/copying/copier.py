"""The copying itself: what has to be so beforehand, the rows, and what is looked at before it counts as done."""

import hashlib
from collections.abc import Callable
from functools import partial
from itertools import zip_longest
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Field, JSONField

from portal.core.database.migrating import release
from portal.core.secrets import canary
from portal.operating.copying import comparison, databases, fitting, lifting, marks, tables
from portal.operating.copying.comparison import Say
from portal.operating.copying.databases import CannotCopy, Database
from portal.operating.copying.tables import MADE_BY_MIGRATE, Key, Row, Table, Value


def copy(source: Database, target: Database, say: Say) -> None:
    """Copy everything, or go on with a copying that was interrupted, and look at both at the end.

    Raises: CannotCopy, with nothing changed in the target or with what is there to be gone on with.
    """
    with databases.standing_still(source), databases.ours(target):
        with source.current():
            _refuse_other_release(source)
            _refuse_wrong_keys()
        heads = comparison.heads(source)
        say(f"{source.said} stands still, and is whole.")
        _prepare(source, target, heads, say)
        for table in tables.copied():
            _copy(table, source, target, say)
        with source.current():
            given = lifting.given_by()
        with target.current():
            say("foreign keys and sequences")
            _or_refused(target, lifting.put_back)
            lifting.count_on(given)
        _compare(source, target, heads, say)
        with target.current():
            marks.end()


def compare(source: Database, target: Database, say: Say) -> None:
    """Only look whether both say the same.

    Raises: CannotCopy if they do not.
    """
    with databases.standing_still(source), databases.ours(target):
        for database in (source, target):
            with database.current():
                _refuse_other_release(database)
        with target.current():
            if marks.are_there():
                raise CannotCopy(f"The copying into {target.said} has not ended: run copydatabase again.")
        _compare(source, target, comparison.heads(source), say)


def _compare(source: Database, target: Database, heads: str, say: Say) -> None:
    found = comparison.heads(target)
    for here, there in zip_longest(heads.splitlines(), found.splitlines()):
        if here != there:
            raise CannotCopy(f"The histories do not end alike: {here} in {source.said}, {there} in {target.said}.")
    unlike = list(comparison.differences(tables.copied(), source, target, say))
    if unlike:
        raise CannotCopy(f"They are not the same: {'; '.join(unlike)}.")
    say("Both have these heads:")
    say(heads.rstrip())


def _prepare(source: Database, target: Database, heads: str, say: Say) -> None:
    with source.current():
        looks = _looks(heads)
    with target.current():
        if marks.are_there():
            _refuse_other_release(target)
            if marks.kept(marks.SOURCE).get("") != looks:
                raise CannotCopy(
                    f"{source.said} is not as it was when this copying began: begin anew in an empty database."
                )
            say(f"The copying into {target.said} goes on.")
            return
        _refuse_what_is_not_empty(target)
    with source.current():
        wrong = list(fitting.refused(tables.copied(), target.wrapper)) if not source.is_postgresql else []
    if wrong:
        for line in wrong:
            say(line)
        raise CannotCopy(f"Of {len(wrong)} values PostgreSQL would take none, the first: {wrong[0]}.")
    with target.current():
        call_command("migrate", verbosity=0)
        _refuse_other_release(target)
        _refuse_what_is_not_empty(target)
        lifting.begin(looks)
    say(f"{target.said} is migrated and empty.")


def _copy(table: Table, source: Database, target: Database, say: Say) -> None:
    with target.current():
        mark = marks.of_tables().get(table.name, marks.Mark())
    if mark.is_done:
        return
    with source.current():
        total = table.count()
    last: Key | None = None if mark.last is None else table.key.to_python(mark.last)
    while True:
        with source.current():
            batch = next(table.batches(last), None)
        if batch is None:
            break
        last = batch[-1][table.place_of_key]
        mark = marks.Mark(last, mark.rows + len(batch))
        with target.current():
            _or_refused(target, partial(_write, table, batch, mark))
        if mark.rows < total:
            say(f"{table.name}: {mark.rows} of {total}")
    with target.current():
        marks.put_table(table.name, marks.Mark(last, mark.rows, is_done=True))
    if mark.rows:
        say(f"{table.name}: {mark.rows} rows")


def _write(table: Table, batch: list[Row], mark: marks.Mark) -> None:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in table.fields)
    with lifting.without_triggers(table), connection.cursor() as cursor:
        with cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN") as into:
            for row in batch:
                into.write_row([_as_written(field, value) for field, value in zip(table.fields, row, strict=True)])
        marks.put_table(table.name, mark)


def _as_written(field: "Field[Any, Any]", value: Value) -> Value:
    return value if value is None or isinstance(field, JSONField) else field.get_db_prep_save(value, connection)


def _or_refused(target: Database, act: Callable[[], None]) -> None:
    try:
        act()
    except DatabaseError as error:
        if not target.wrapper.is_usable():
            raise
        raise CannotCopy(f"{target.said} refuses: {str(error).strip().partition(chr(10))[0]}") from error


def _looks(heads: str) -> str:
    counts = "".join(f"{table.name} {table.count()}\n" for table in tables.copied())
    return hashlib.sha256(f"{heads}{counts}".encode()).hexdigest()


def _refuse_other_release(database: Database) -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CannotCopy(f"{database.said} is not migrated: run migrate there first.")
    if release.is_ahead(executor.loader):
        raise CannotCopy(f"{database.said} is of a later release than this one: copy it with that one.")
    if strange := tables.unknown():
        raise CannotCopy(f"{database.said} has tables that this release does not know: {', '.join(strange)}.")


def _refuse_wrong_keys() -> None:
    if wrong := canary.wrong_keys(make=False):
        raise CannotCopy(canary.in_words(wrong))


def _refuse_what_is_not_empty(target: Database) -> None:
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for name in sorted(present - {"django_migrations", *MADE_BY_MIGRATE}):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})")  # noqa: S608
            if cursor.fetchone()[0]:
                raise CannotCopy(f"{target.said} is not empty: there are rows in {name}.")
