"""An upgrade without downtime: while `migrate` has run and old nodes still serve, what they write is still taken."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

# Up to here every node was of one version. What comes later has to bear the version before it.
TAIL: Final = {
    "accounts": 2, "policies": 3, "treasury": 2, "journal": 1, "paper": 2, "kraken": 1, "audit": 2, "work": 1,
    "core": 1,
}  # fmt: skip


def breaks_older_nodes(operation: object, app: str = "", after: ProjectState | None = None) -> str:
    """Why a node of the version before could not go on writing once all is migrated; empty if it can."""
    if isinstance(operation, migrations.AddField):
        field: Any = operation.field
        if after is not None:
            # A later migration may have given it what it needs, or taken it away again.
            model = after.models.get((app, operation.model_name_lower))
            if model is None or operation.name not in model.fields:
                return ""
            field = model.fields[operation.name]
        if not (field.many_to_many or field.null or field.primary_key) and field.db_default is NOT_PROVIDED:
            return f"{operation.model_name}.{operation.name} needs a db_default: an older node does not write it"
    if isinstance(operation, migrations.RenameField | migrations.RenameModel):
        return f"{operation.describe()}: an older node asks for the old name; add the new one beside it first"
    return ""


def operations(found: list[object]) -> Iterator[object]:
    """Those inside of others too."""
    for operation in found:
        yield operation
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from operations(list(operation.database_operations))


def new_migrations() -> Iterator[tuple[str, list[object]]]:
    for (app, name), migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items():
        number = re.match(r"\d+", name)
        if app in TAIL and number and int(number[0]) > TAIL[app]:
            yield f"{app}.{name}", list(operations(list(migration.operations)))


def test_no_migration_breaks_nodes_that_still_run_the_version_before():
    """fault operations-F6: every column that is added has its default in the database."""
    found, after = dict(new_migrations()), MigrationLoader(None).project_state()
    ours = {app.label for app in apps.get_app_configs() if "site-packages" not in Path(app.path).parts}
    assert {app for app, _ in MigrationLoader(None).disk_migrations if app in ours} == set(TAIL)
    wrong = {
        name: why
        for name, each in found.items()
        for operation in each
        if (why := breaks_older_nodes(operation, name.partition(".")[0], after))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("operation", "is_wrong"),
    [
        (migrations.AddField("policy", "x", models.BooleanField(default=False)), True),
        (migrations.AddField("policy", "x", models.BooleanField(default=False, db_default=False)), False),
        (migrations.AddField("policy", "x", models.BooleanField(null=True)), False),
        (migrations.AddField("policy", "x", models.ManyToManyField("accounts.Member")), False),
        (migrations.RenameField("policy", "x", "y"), True),
    ],
)
def test_the_check_itself_tells_them_apart(operation, is_wrong):
    """fault operations-F6: a Python default alone is what stopped every Withdraw of an older node."""
    assert bool(breaks_older_nodes(operation)) is is_wrong


@pytest.mark.django_db
def test_a_row_of_an_older_node_gets_the_column_that_it_does_not_know(world):
    """fault operations-F6: the INSERT of an older node, which names no `earlier_steps`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_authenticator LIMIT 1")
        row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
        del row["id"], row["earlier_steps"]
        row["handle"] = "0" * 32
        marks = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO accounts_authenticator ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        cursor.execute("SELECT earlier_steps FROM accounts_authenticator ORDER BY id DESC LIMIT 1")
        assert cursor.fetchone()[0] in ("[]", [])
