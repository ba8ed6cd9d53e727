"""A chain grows by as many events as were added to it, where it grew by one.

Several events of one change are appended together, so that the row of the chain is held for as short as can be. What
the trigger refused it still refuses, and besides a chain that says more than is there.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQLITE = (
    "DROP TRIGGER audit_chain_only_grows",
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE ON audit_chain
    WHEN NEW.length <= OLD.length OR NEW.length - OLD.length <> (
        SELECT COUNT(*) FROM audit_auditevent
        WHERE chain_id = OLD.id AND sequence > OLD.length AND sequence <= NEW.length
    )
    BEGIN SELECT RAISE(ABORT, 'A chain of the history only grows.'); END
    """,
)
SQLITE_BACK = (
    "DROP TRIGGER audit_chain_only_grows",
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE ON audit_chain WHEN NEW.length <> OLD.length + 1
    BEGIN SELECT RAISE(ABORT, 'A chain of the history only grows.'); END
    """,
)
POSTGRESQL = (
    "DROP TRIGGER audit_chain_only_grows ON audit_chain",
    """
    CREATE FUNCTION audit_chain_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.length <= OLD.length OR NEW.length - OLD.length <> (
            SELECT COUNT(*) FROM audit_auditevent
            WHERE chain_id = OLD.id AND sequence > OLD.length AND sequence <= NEW.length
        ) THEN
            RAISE EXCEPTION 'A chain of the history only grows.' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION audit_chain_grows()
    """,
)
POSTGRESQL_BACK = (
    "DROP TRIGGER audit_chain_only_grows ON audit_chain",
    "DROP FUNCTION audit_chain_grows()",
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE ON audit_chain
    FOR EACH ROW WHEN (NEW.length <> OLD.length + 1) EXECUTE FUNCTION audit_append_only()
    """,
)


def forwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def backwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [migrations.RunPython(forwards, backwards)]
