"""The ledger is append-only, and an Entry is sealed only when its legs balance."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from portal.core.database.no_replacing import refuse_replacing

# An Entry may be written unsealed, and then sealed, nothing else. A Posting may be written while its Entry is open.
# "OR REPLACE" removes rows on SQLite without firing a trigger for DELETE, hence the looks for an existing row.
SQLITE = (
    """
    CREATE TRIGGER paper_entry_opens BEFORE INSERT ON paper_entry
    WHEN NEW.sealed OR EXISTS (
        SELECT 1 FROM paper_entry WHERE id = NEW.id OR (kind = NEW.kind AND reference = NEW.reference))
    BEGIN SELECT RAISE(ABORT, 'an Entry is written once, and sealed after its legs'); END
    """,
    """
    CREATE TRIGGER paper_entry_only_seals BEFORE UPDATE ON paper_entry
    WHEN OLD.sealed OR NOT NEW.sealed OR NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind
        OR NEW.subkind IS NOT OLD.subkind OR NEW.reference IS NOT OLD.reference OR NEW.at IS NOT OLD.at
    BEGIN SELECT RAISE(ABORT, 'an Entry can only be sealed, once'); END
    """,
    """
    CREATE TRIGGER paper_entry_balances BEFORE UPDATE ON paper_entry
    WHEN NOT EXISTS (SELECT 1 FROM paper_posting WHERE entry_id = OLD.id)
        OR EXISTS (SELECT 1 FROM paper_posting WHERE entry_id = OLD.id GROUP BY asset HAVING SUM(units) <> 0)
    BEGIN SELECT RAISE(ABORT, 'the legs of the Entry do not sum to zero in each asset'); END
    """,
    """
    CREATE TRIGGER paper_entry_stays BEFORE DELETE ON paper_entry
    BEGIN SELECT RAISE(ABORT, 'an Entry is never deleted'); END
    """,
    """
    CREATE TRIGGER paper_posting_joins_open_entry BEFORE INSERT ON paper_posting
    WHEN EXISTS (SELECT 1 FROM paper_entry WHERE id = NEW.entry_id AND (sealed OR at IS NOT NEW.at))
        OR EXISTS (SELECT 1 FROM paper_posting WHERE id = NEW.id OR ledger_id = NEW.ledger_id)
    BEGIN SELECT RAISE(ABORT, 'a Posting is written once, at the time of its Entry and before that is sealed'); END
    """,
    """
    CREATE TRIGGER paper_posting_stays_same BEFORE UPDATE ON paper_posting
    BEGIN SELECT RAISE(ABORT, 'a Posting is never changed'); END
    """,
    """
    CREATE TRIGGER paper_posting_stays BEFORE DELETE ON paper_posting
    BEGIN SELECT RAISE(ABORT, 'a Posting is never deleted'); END
    """,
)
SQLITE_REVERSE = (
    "DROP TRIGGER paper_entry_opens",
    "DROP TRIGGER paper_entry_only_seals",
    "DROP TRIGGER paper_entry_balances",
    "DROP TRIGGER paper_entry_stays",
    "DROP TRIGGER paper_posting_joins_open_entry",
    "DROP TRIGGER paper_posting_stays_same",
    "DROP TRIGGER paper_posting_stays",
)

POSTGRESQL = (
    """
    CREATE FUNCTION paper_entry_opens() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.sealed THEN
            RAISE EXCEPTION 'an Entry is written once, and sealed after its legs' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION paper_entry_only_seals() RETURNS trigger LANGUAGE plpgsql AS $$
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
    # The Entry is locked while it is looked at, so that nobody seals it between this look and the insert.
    """
    CREATE FUNCTION paper_posting_joins_open_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM paper_entry WHERE id = NEW.entry_id AND NOT sealed AND at = NEW.at FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a Posting is written once, at the time of its Entry and before that is sealed'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION paper_ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the ledger is never changed: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$
    """,
    """
    CREATE TRIGGER paper_entry_opens BEFORE INSERT ON paper_entry
    FOR EACH ROW EXECUTE FUNCTION paper_entry_opens()
    """,
    """
    CREATE TRIGGER paper_entry_only_seals BEFORE UPDATE ON paper_entry
    FOR EACH ROW EXECUTE FUNCTION paper_entry_only_seals()
    """,
    """
    CREATE TRIGGER paper_entry_stays BEFORE DELETE ON paper_entry
    FOR EACH ROW EXECUTE FUNCTION paper_ledger_stays()
    """,
    """
    CREATE TRIGGER paper_entry_not_emptied BEFORE TRUNCATE ON paper_entry
    FOR EACH STATEMENT EXECUTE FUNCTION paper_ledger_stays()
    """,
    """
    CREATE TRIGGER paper_posting_joins_open_entry BEFORE INSERT ON paper_posting
    FOR EACH ROW EXECUTE FUNCTION paper_posting_joins_open_entry()
    """,
    """
    CREATE TRIGGER paper_posting_stays BEFORE UPDATE OR DELETE ON paper_posting
    FOR EACH ROW EXECUTE FUNCTION paper_ledger_stays()
    """,
    """
    CREATE TRIGGER paper_posting_not_emptied BEFORE TRUNCATE ON paper_posting
    FOR EACH STATEMENT EXECUTE FUNCTION paper_ledger_stays()
    """,
)
POSTGRESQL_REVERSE = (
    "DROP FUNCTION paper_entry_opens() CASCADE",
    "DROP FUNCTION paper_entry_only_seals() CASCADE",
    "DROP FUNCTION paper_posting_joins_open_entry() CASCADE",
    "DROP FUNCTION paper_ledger_stays() CASCADE",
)


def forwards(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def backwards(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE_REVERSE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_REVERSE:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("paper", "0001_initial")]

    operations = [
        migrations.RunPython(forwards, backwards),
        refuse_replacing("paper_entry", ("kind", "reference")),
        refuse_replacing("paper_posting", ("ledger_id",)),
    ]
