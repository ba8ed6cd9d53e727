"""The history is append-only: the database itself refuses to change, remove or replace an event, or to shorten a chain."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from portal.core.database.no_replacing import refuse_replacing

SQLITE = (
    """
    CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_auditevent
    BEGIN SELECT RAISE(ABORT, 'The history is append-only.'); END
    """,
    """
    CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_auditevent
    BEGIN SELECT RAISE(ABORT, 'The history is append-only.'); END
    """,
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE ON audit_chain WHEN NEW.length <> OLD.length + 1
    BEGIN SELECT RAISE(ABORT, 'A chain of the history only grows.'); END
    """,
    """
    CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
    BEGIN SELECT RAISE(ABORT, 'A chain of the history only grows.'); END
    """,
)
SQLITE_BACK = (
    "DROP TRIGGER audit_event_no_update",
    "DROP TRIGGER audit_event_no_delete",
    "DROP TRIGGER audit_chain_only_grows",
    "DROP TRIGGER audit_chain_no_delete",
)
POSTGRESQL = (
    """
    CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'The history is append-only.' USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER audit_event_no_update BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
    """
    CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
    """
    CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE ON audit_chain
    FOR EACH ROW WHEN (NEW.length <> OLD.length + 1) EXECUTE FUNCTION audit_append_only()
    """,
    """
    CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()
    """,
    """
    CREATE TRIGGER audit_chain_no_truncate BEFORE TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
)
POSTGRESQL_BACK = (
    "DROP TRIGGER audit_event_no_update ON audit_auditevent",
    "DROP TRIGGER audit_event_no_truncate ON audit_auditevent",
    "DROP TRIGGER audit_chain_only_grows ON audit_chain",
    "DROP TRIGGER audit_chain_no_delete ON audit_chain",
    "DROP TRIGGER audit_chain_no_truncate ON audit_chain",
    "DROP FUNCTION audit_append_only()",
)


def forwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def backwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunPython(forwards, backwards),
        refuse_replacing("audit_auditevent", ("chain_id", "sequence")),
        refuse_replacing("audit_chain", ("name",), ("organization_id",)),
    ]
