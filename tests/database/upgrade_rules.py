"""What a migration may do while nodes of the release before still serve, as docs/upgrading.md says it."""

import re
from collections.abc import Iterator
from typing import Any, Final

from django.db import migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from portal.core.database.migrating import online
from portal.core.database.migrating.in_batches import RunInBatches

# They hold nobody up, and do no harm when they are run again.
REPEATABLE: Final = (
    online.AddIndexConcurrently, online.RemoveIndexConcurrently, online.AddConstraintNotValid,
    online.ValidateConstraint, online.AddUniqueConcurrently, RunInBatches,
)  # fmt: skip
NEED_NO_TRANSACTION: Final = (
    online.AddIndexConcurrently, online.RemoveIndexConcurrently, online.AddUniqueConcurrently, RunInBatches,
)  # fmt: skip
# Of SQL by hand: what guards rows, and names things. Not what rewrites or looks through them.
HARMLESS_SQL: Final = re.compile(
    r"\s*(CREATE (OR REPLACE )?(FUNCTION|TRIGGER)|DROP (FUNCTION|TRIGGER)|COMMENT)\b", re.IGNORECASE
)
SIMPLY_WRONG: Final = (
    (
        (migrations.RenameField, migrations.RenameModel, migrations.RenameIndex, migrations.AlterModelTable),
        "an older node asks for the old name: add the new one beside it, and contract the old one later",
    ),
    (
        (migrations.AddIndex, migrations.RemoveIndex),
        "writers wait until it is done: use the one of portal.core.database.migrating.online",
    ),
    (
        (migrations.AddConstraint,),
        "all rows are looked at while writers wait: AddConstraintNotValid, or AddUniqueConcurrently",
    ),
    (
        (migrations.AlterUniqueTogether, migrations.AlterIndexTogether),
        "writers wait until its index is built: AddUniqueConcurrently",
    ),
)


def broken(app: str, migration: Migration, before: ProjectState, previous: str) -> Iterator[str]:
    """What is wrong with a migration that is applied in the state `before`; `previous` is the release that serves.

    What it takes away is named in its `contracts`: for each field (`model.field`) or model the release whose code used
    it no longer.
    """
    state, made = before.clone(), set[str]()
    contracts: dict[str, str] = getattr(migration, "contracts", {})
    if not migration.atomic:
        for operation in migration.operations:
            if not isinstance(operation, REPEATABLE):
                yield f"{operation.describe()}: it cannot be run again, so it has no place where atomic is False"
    elif any(isinstance(operation, NEED_NO_TRANSACTION) for operation in migration.operations):
        yield "it builds beside others or in batches: it says atomic = False"
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            made.add(operation.name_lower)
        inner = (
            operation.database_operations if isinstance(operation, migrations.SeparateDatabaseAndState) else [operation]
        )
        for each in inner:
            if getattr(each, "model_name_lower", "") not in made:
                yield from (f"{each.describe()}: {why}" for why in _of(each, app, state, contracts, previous))
        operation.state_forwards(app, state)


def _of(operation: Operation, app: str, state: ProjectState, contracts: dict[str, str], previous: str) -> Iterator[str]:
    if isinstance(operation, REPEATABLE):
        return
    for kinds, why in SIMPLY_WRONG:
        if isinstance(operation, kinds):
            yield why
    if isinstance(operation, migrations.AddField):
        yield from _adds(operation.field)
    elif isinstance(operation, migrations.RemoveField | online.DropUnusedColumn):
        yield from _contracted(f"{operation.model_name_lower}.{operation.name}", contracts, previous)
    elif isinstance(operation, migrations.DeleteModel):
        yield from _contracted(operation.name_lower, contracts, previous)
    elif isinstance(operation, migrations.AlterField):
        fields = state.models[app, operation.model_name_lower].fields
        what = f"{operation.model_name_lower}.{operation.name}"
        yield from _alters(fields[operation.name], operation.field, what, contracts, previous)
    else:
        yield from _by_hand(operation)


def _by_hand(operation: Operation) -> Iterator[str]:
    if isinstance(operation, migrations.RunSQL):
        if any(not HARMLESS_SQL.match(statement) for statement in _statements(operation.sql)):
            yield "by hand only functions, triggers and comments are made: rows are changed by RunInBatches"
    elif isinstance(operation, migrations.RunPython) and not operation.code.__module__.startswith(
        "portal.core.database."
    ):
        yield "rows are changed by RunInBatches, a few in each transaction"


def _adds(field: Any) -> Iterator[str]:
    if isinstance(field, models.GeneratedField):
        yield "the whole table is written anew: let the portal fill a column"
    elif not field.many_to_many and (field.unique or field.db_index) and not field.primary_key:
        yield "its index is built while writers wait: db_index=False, and the index by AddIndexConcurrently"


def _alters(old: Any, new: Any, what: str, contracts: dict[str, str], previous: str) -> Iterator[str]:
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        yield "its index is built while writers wait: AddIndexConcurrently, or AddUniqueConcurrently"
    is_text = isinstance(old, models.CharField) and isinstance(new, models.CharField | models.TextField)
    if type(old) is not type(new) and not is_text:
        yield "the whole table is written anew while everybody waits: add a column of that kind beside it"
    narrows = [
        (old.max_length or 0) > (new.max_length or 2**31) or (old.max_length is None and new.max_length is not None),
        old.null and not new.null,
        old.has_db_default() and not new.has_db_default() and not new.null,
    ]
    if any(narrows):
        yield from _contracted(what, contracts, previous)


def _contracted(what: str, contracts: dict[str, str], previous: str) -> Iterator[str]:
    release = contracts.get(what)
    if release is None:
        yield f"it takes away what the release before may use: `contracts` names the release that no longer used {what}"
    elif _numbers(release) > _numbers(previous):
        yield f"{what} is used until {release}, and {previous} still serves: it is for the release after that"


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))


def _statements(sql: Any) -> list[str]:
    return [sql] if isinstance(sql, str) else [each if isinstance(each, str) else each[0] for each in sql]
