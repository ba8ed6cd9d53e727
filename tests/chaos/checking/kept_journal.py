"""The whole journal while a run lasts: the portal keeps an hour of it, by clocks that may be wrong meanwhile."""

from typing import Final

from django.db import connection

# What is deleted goes into a table beside, by whoever owns both. Backups read it too: they are of the whole database.
KEEP: Final = """
CREATE SCHEMA IF NOT EXISTS soak;
CREATE TABLE IF NOT EXISTS soak.journal_entry (LIKE journal_entry);
CREATE OR REPLACE FUNCTION soak.keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO soak.journal_entry SELECT OLD.*;
    RETURN NULL;
END $$;
GRANT USAGE ON SCHEMA soak TO PUBLIC;
GRANT SELECT ON soak.journal_entry TO PUBLIC;
CREATE OR REPLACE TRIGGER keep AFTER DELETE ON journal_entry FOR EACH ROW EXECUTE FUNCTION soak.keep();
"""
PUT_BACK: Final = """
INSERT INTO journal_entry SELECT * FROM soak.journal_entry;
TRUNCATE soak.journal_entry;
"""


def begin() -> None:
    """From now on nothing of it is lost."""
    _run(KEEP)


def put_back() -> None:
    """Let it be whole again, once nobody is told anything any more."""
    _run(PUT_BACK)


def _run(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements)
