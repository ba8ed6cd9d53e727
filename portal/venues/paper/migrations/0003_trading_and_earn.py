"""The ledger learns trades and Earn. SQLite copies a table to alter it, which would lose its triggers."""

from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

sealed = import_module("portal.venues.paper.migrations.0002_sealed_ledger")

# As in 0002, and the kind below the kind stays the same too.
SQLITE = (
    "DROP TRIGGER paper_entry_only_seals",
    """
    CREATE TRIGGER paper_entry_only_seals BEFORE UPDATE ON paper_entry
    WHEN OLD.sealed OR NOT NEW.sealed OR NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind
        OR NEW.subkind IS NOT OLD.subkind OR NEW.reference IS NOT OLD.reference OR NEW.at IS NOT OLD.at
    BEGIN SELECT RAISE(ABORT, 'an Entry can only be sealed, once'); END
    """,
)
POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION paper_entry_only_seals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.sealed OR NOT NEW.sealed OR (NEW.id, NEW.kind, NEW.subkind, NEW.reference, NEW.at)
            IS DISTINCT FROM (OLD.id, OLD.kind, OLD.subkind, OLD.reference, OLD.at)
        THEN
            RAISE EXCEPTION 'an Entry can only be sealed, once' USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM paper_posting WHERE entry_id = OLD.id)
            OR EXISTS (SELECT 1 FROM paper_posting WHERE entry_id = OLD.id GROUP BY asset HAVING SUM(units) <> 0)
        THEN
            RAISE EXCEPTION 'the legs of the Entry do not sum to zero in each asset'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)


def lift(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    sealed.backwards(apps, schema_editor)


def put_back(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    sealed.forwards(apps, schema_editor)
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def put_old_back(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    sealed.forwards(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("paper", "0002_sealed_ledger"),
    ]

    operations = [
        migrations.RunPython(lift, put_old_back),
        migrations.RemoveConstraint(
            model_name="entry",
            name="entry_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="posting",
            name="posting_book_known",
        ),
        migrations.AddField(
            model_name="entry",
            name="subkind",
            field=models.CharField(
                blank=True, choices=[("spottostaking", "To Earn"), ("stakingtospot", "From Earn")], max_length=20
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("deposit", "Deposit"),
                    ("withdrawal", "Withdrawal"),
                    ("trade", "Trade"),
                    ("transfer", "Transfer"),
                    ("staking", "Staking"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="book",
            field=models.CharField(
                choices=[
                    ("account", "Account"),
                    ("outside", "Outside world"),
                    ("fees", "Fees"),
                    ("market", "Market"),
                    ("earn", "Earn"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["deposit", "withdrawal", "trade", "transfer", "staking"])),
                name="entry_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("subkind", ""),
                    models.Q(("kind", "transfer"), ("subkind__in", ["spottostaking", "stakingtospot"])),
                    _connector="OR",
                ),
                name="entry_subkind_of_transfer",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("book__in", ["account", "outside", "fees", "market", "earn"])),
                name="posting_book_known",
            ),
        ),
        migrations.RunPython(put_back, lift),
    ]
