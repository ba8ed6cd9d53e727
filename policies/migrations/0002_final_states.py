"""The database says it last: what has ended does not move, what was decided stays decided, and neither is replaced.

On SQLite a later migration that rebuilds one of these tables is a `portal.core.database.sqlite_rebuild.KeepsTriggers`.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from portal.core.database.no_replacing import refuse_replacing

SQLITE = (
    """
    CREATE TRIGGER change_final_stays BEFORE UPDATE OF state ON policies_changerequest
    WHEN OLD.state NOT IN ('pending', 'approved')
    BEGIN SELECT RAISE(ABORT, 'change_final_stays: a request that has ended does not move'); END
    """,
    """
    CREATE TRIGGER decision_stays_as_made BEFORE UPDATE ON policies_decision
    BEGIN SELECT RAISE(ABORT, 'decision_stays: a decision cannot be changed'); END
    """,
    """
    CREATE TRIGGER decision_stays_at_all BEFORE DELETE ON policies_decision
    BEGIN SELECT RAISE(ABORT, 'decision_stays: a decision cannot be removed'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION change_final_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'change_final_stays: a request that has ended does not move'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER change_final_stays BEFORE UPDATE OF state ON policies_changerequest
    FOR EACH ROW WHEN (OLD.state NOT IN ('pending', 'approved')) EXECUTE FUNCTION change_final_stays()
    """,
    """
    CREATE FUNCTION decision_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'decision_stays: a decision cannot be changed or removed'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER decision_stays BEFORE UPDATE OR DELETE ON policies_decision
    FOR EACH ROW EXECUTE FUNCTION decision_stays()
    """,
)
UNDO = {
    "sqlite": (
        "DROP TRIGGER change_final_stays",
        "DROP TRIGGER decision_stays_as_made",
        "DROP TRIGGER decision_stays_at_all",
    ),
    "postgresql": (
        "DROP TRIGGER change_final_stays ON policies_changerequest",
        "DROP FUNCTION change_final_stays()",
        "DROP TRIGGER decision_stays ON policies_decision",
        "DROP FUNCTION decision_stays()",
    ),
}


def add(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL:
        editor.execute(statement)


def drop(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in UNDO[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial")]

    operations = [
        migrations.RunPython(add, drop),
        refuse_replacing("policies_changerequest", ("reference",)),
        refuse_replacing("policies_decision", ("change_id", "person_id")),
    ]
