"""An address and a withdrawal belong to the Organization of their Account (security AZ-3)."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ADDRESS = """
    EXISTS (SELECT 1 FROM accounts_account WHERE id = NEW.account_id AND organization_id = NEW.organization_id)
"""
WITHDRAWAL = """
    EXISTS (SELECT 1 FROM accounts_account WHERE id = NEW.account_id AND organization_id = NEW.organization_id)
    AND EXISTS (SELECT 1 FROM treasury_address WHERE id = NEW.address_id AND account_id = NEW.account_id)
    AND EXISTS (SELECT 1 FROM policies_changerequest WHERE id = NEW.change_id
        AND organization_id = NEW.organization_id AND account_id = NEW.account_id)
"""
RULES = (("treasury_address", ADDRESS), ("treasury_withdrawal", WITHDRAWAL))


def forwards(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    write = _sqlite if schema_editor.connection.vendor == "sqlite" else _postgresql
    for table, rule in RULES:
        for statement in write(table, rule):
            schema_editor.execute(statement, params=None)


def backwards(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for table, _ in RULES:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {table}_belongs_together_insert")
            schema_editor.execute(f"DROP TRIGGER {table}_belongs_together_update")
        else:
            schema_editor.execute(f"DROP FUNCTION {table}_belongs_together() CASCADE")


def _sqlite(table: str, rule: str) -> list[str]:
    return [
        f"""
        CREATE TRIGGER {table}_belongs_together_{event} BEFORE {event} ON {table} WHEN NOT ({rule})
        BEGIN SELECT RAISE(ABORT, 'the row points into another Organization or Account'); END
        """
        for event in ("insert", "update")
    ]


def _postgresql(table: str, rule: str) -> list[str]:
    function = f"""
        CREATE FUNCTION {table}_belongs_together() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT ({rule}) THEN
                RAISE EXCEPTION 'the row points into another Organization or Account'
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NEW;
        END $$
    """
    trigger = f"""
        CREATE TRIGGER {table}_belongs_together BEFORE INSERT OR UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_belongs_together()
    """
    return [function, trigger]


class Migration(migrations.Migration):
    dependencies = [("treasury", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]
