"""Everything that a database of PostgreSQL is made of, but for its rows, so that two can be held side by side."""

import psycopg

QUESTIONS = {
    "columns": """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, convalidated, condeferrable, condeferred, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
    """,
    "indexes": """
        SELECT tablename, indexname, indexdef, indisvalid FROM pg_indexes
        JOIN pg_index ON indexrelid = (quote_ident(indexname))::regclass WHERE schemaname = 'public' ORDER BY 1, 2
    """,
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(t.oid) FROM pg_trigger t
        JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1, 2
    """,
    "guards of foreign keys": """
        SELECT tgrelid::regclass::text, tgfoid::regproc::text, tgenabled::text, count(*) FROM pg_trigger
        WHERE tgisinternal GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """,
    "functions": """
        SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2
    """,
    "sequences": """
        SELECT sequencename, data_type::text, increment_by, max_value FROM pg_sequences ORDER BY 1
    """,
}


def of(url: str) -> dict[str, list[tuple[object, ...]]]:
    """By kind."""
    with psycopg.connect(url) as asking:
        return {kind: asking.execute(question).fetchall() for kind, question in QUESTIONS.items()}
