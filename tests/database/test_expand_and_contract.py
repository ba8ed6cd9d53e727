"""Every migration since the first release adds, and takes away only what the release before had given up."""

import re
from typing import Final

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from portal.core.database.migrating import online
from portal.core.database.migrating.in_batches import RunInBatches
from portal.core.database.tenant_triggers import Belonging, hold
from tests.database.test_upgrades import TAIL
from tests.database.upgrade_rules import broken
from tests.upgrades import previous

# As far as 0.1.0 went: nobody had an installation before that could have been upgraded.
FIRST: Final = {
    "accounts": 7, "policies": 10, "treasury": 5, "journal": 1, "paper": 3, "kraken": 8, "audit": 3, "work": 1,
    "core": 1,
}  # fmt: skip
A_CHECK = models.CheckConstraint(condition=models.Q(size__gte=0), name="row_size")
AN_INDEX = models.Index(fields=["size"], name="row_by_size")
A_UNIQUE = models.UniqueConstraint(fields=["size"], name="row_one_of_each")


@pytest.mark.django_db
def test_every_migration_since_the_first_release_keeps_the_rules():
    assert set(FIRST) == set(TAIL)
    loader, wrong = MigrationLoader(connection, ignore_no_migrations=True), {}
    before, _ = previous.named()
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        number = re.match(r"\d+", name)
        if app not in FIRST or not number or int(number[0]) <= FIRST[app]:
            continue
        state = loader.project_state(list(migration.dependencies), at_end=True)
        if found := list(broken(app, migration, state, before)):
            wrong[f"{app}.{name}"] = found
    assert wrong == {}


def migration(*operations, atomic=True, contracts=None) -> migrations.Migration:
    said = {"operations": list(operations), "atomic": atomic, "contracts": contracts or {}}
    made: migrations.Migration = type("Migration", (migrations.Migration,), said)("0002_next", "app")
    return made


def judged(made: migrations.Migration) -> list[str]:
    before = ProjectState()
    before.add_model(
        ModelState(
            "app",
            "Row",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40)),
                ("size", models.IntegerField(null=True)),
                ("kept", models.IntegerField(default=0, db_default=0)),
            ],
            options={"indexes": [models.Index(fields=["name"], name="row_by_name")]},
        )
    )
    return list(broken("app", made, before, "0.2.0"))


def rewrite(*_given) -> None:
    """What a migration would do with all rows at once."""


WRONG = [
    migration(migrations.AddField("Row", "x", models.IntegerField(null=True, db_index=True))),
    migration(migrations.AddField("Row", "x", models.IntegerField(null=True, unique=True))),
    migration(migrations.AddField("Row", "x", models.ForeignKey("app.Row", models.PROTECT, null=True))),
    migration(migrations.RemoveField("Row", "kept")),
    migration(migrations.RemoveField("Row", "kept"), contracts={"row.kept": "0.3.0"}),
    migration(online.DropUnusedColumn("Row", "gone", models.IntegerField(null=True))),
    migration(migrations.DeleteModel("Row")),
    migration(migrations.RenameField("Row", "kept", "held")),
    migration(migrations.RenameModel("Row", "Line")),
    migration(migrations.AlterField("Row", "name", models.CharField(max_length=39))),
    migration(migrations.AlterField("Row", "name", models.CharField(max_length=40, unique=True))),
    migration(migrations.AlterField("Row", "size", models.IntegerField())),
    migration(migrations.AlterField("Row", "size", models.BigIntegerField(null=True))),
    migration(migrations.AlterField("Row", "kept", models.IntegerField(default=0))),
    migration(migrations.AddIndex("Row", AN_INDEX)),
    migration(migrations.RemoveIndex("Row", "row_by_name")),
    migration(online.AddIndexConcurrently("Row", AN_INDEX)),
    migration(online.AddIndexConcurrently("Row", AN_INDEX), migrations.RunPython(rewrite), atomic=False),
    migration(migrations.AddConstraint("Row", A_CHECK)),
    migration(migrations.AddConstraint("Row", A_UNIQUE)),
    migration(migrations.RunPython(rewrite)),
    migration(migrations.RunSQL("UPDATE app_row SET kept = 1")),
    migration(migrations.RunSQL(["CREATE INDEX x ON app_row (size)"])),
    migration(RunInBatches("app", "Row", rewrite)),
]
RIGHT = [
    migration(migrations.AddField("Row", "x", models.IntegerField(null=True))),
    migration(migrations.CreateModel("Line", [("id", models.BigAutoField(primary_key=True))]),
              migrations.AddIndex("Line", models.Index(fields=["id"], name="line_by_id"))),
    migration(migrations.RemoveField("Row", "kept"), contracts={"row.kept": "0.2.0"}),
    migration(online.DropUnusedColumn("Row", "gone", models.IntegerField(null=True)), contracts={"row.gone": "0.2.0"}),
    migration(migrations.SeparateDatabaseAndState(
        [migrations.AlterField("Row", "name", models.CharField(max_length=40, null=True))],
        [migrations.RemoveField("Row", "name")],
    )),
    migration(migrations.AlterField("Row", "name", models.CharField(max_length=41))),
    migration(migrations.AlterField("Row", "name", models.TextField())),
    migration(migrations.AlterField("Row", "kept", models.IntegerField(null=True))),
    migration(migrations.AlterField("Row", "size", models.IntegerField()), contracts={"row.size": "0.1.0"}),
    migration(online.AddIndexConcurrently("Row", AN_INDEX), atomic=False),
    migration(online.RemoveIndexConcurrently("Row", "row_by_name"), atomic=False),
    migration(online.AddUniqueConcurrently("Row", A_UNIQUE), atomic=False),
    migration(online.AddConstraintNotValid("Row", A_CHECK)),
    migration(online.ValidateConstraint("Row", "row_size")),
    migration(RunInBatches("app", "Row", rewrite), atomic=False),
    migration(migrations.RunSQL("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")),
    migration(hold(Belonging("app_row", ("size",), "NEW.size > 0"))),
]  # fmt: skip


@pytest.mark.parametrize("made", WRONG, ids=range(len(WRONG)))
def test_what_holds_somebody_up_or_breaks_an_older_node_is_seen(made):
    assert judged(made), made.operations


@pytest.mark.parametrize("made", RIGHT, ids=range(len(RIGHT)))
def test_what_does_neither_passes(made):
    assert judged(made) == []
