"""Whether two databases say the same: the heads of their histories, their ledgers, and every row of every table."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import islice
from typing import Final

from django.core.management import CommandError, call_command
from django.db.models import JSONField

from portal.operating.copying.databases import CannotCopy, Database
from portal.operating.copying.tables import Key, Row, Table

# So many differences of one table are named.
NAMED: Final = 3
Say = Callable[[str], None]


def heads(database: Database) -> str:
    """How far each chain of a whole history reaches, as `verifyaudit` prints it.

    Raises: CannotCopy if the history, or the ledger, is not whole.
    """
    told = StringIO()
    with database.current():
        try:
            call_command("verifyaudit", stdout=told, kept=None)
            call_command("checkledger", stdout=StringIO(), stderr=told)
        except CommandError as error:
            raise CannotCopy(f"{database.said} is not whole: {error}") from None
    return told.getvalue()


def differences(tables: list[Table], source: Database, target: Database, say: Say) -> Iterator[str]:
    """A line for each row that is not in both as it is in one, some of each table."""
    for table in tables:
        found = list(islice(_of(table, source, target), NAMED))
        yield from found
        with source.current():
            is_worth_a_line = not found and table.count() > 0
        if is_worth_a_line:
            say(f"{table.name}: the same")


def _of(table: Table, source: Database, target: Database) -> Iterator[str]:
    counts = []
    for database in (source, target):
        with database.current():
            counts.append(table.count())
    if counts[0] != counts[1]:
        yield f"{table.name}: {counts[0]} rows in {source.said}, {counts[1]} in {target.said}"
    after: Key | None = None
    while True:
        with source.current():
            batch = next(table.batches(after), None)
        if batch is None:
            return
        keys = [row[table.place_of_key] for row in batch]
        with target.current():
            there = table.of_keys(keys)
        for key, row in zip(keys, batch, strict=True):
            if key not in there:
                yield f"{table.name} {key}: it is not in {target.said}"
            elif columns := _unlike(table, row, there[key]):
                yield f"{table.name} {key}: {', '.join(columns)} differ"
        after = keys[-1]


def _unlike(table: Table, one: Row, other: Row) -> list[str]:
    if one == other:
        return []
    return [
        str(field.column)
        for field, here, there in zip(table.fields, one, other, strict=True)
        if here != there and not (isinstance(field, JSONField) and _is_same_json(here, there))
    ]


def _is_same_json(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and bool(json.loads(one) == json.loads(other))
