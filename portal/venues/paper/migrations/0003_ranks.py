"""Where each row stands in the lists of its Account, kept by triggers: nodes of the version before write rows too.

The triggers come first, and with them locks until the transaction ends: nothing is written between what is numbered
here and what they number.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# By how long an order was open, in seconds: whoever looks for those that were open at an instant looks no further
# ahead than that.
SPANS = [10**power for power in range(10)]
OPEN_FOR = {
    "postgresql": "extract(epoch FROM o.closed_at - o.opened_at)",
    "sqlite": "(julianday(o.closed_at) - julianday(o.opened_at)) * 86400",
}
# Rows of the lists and each part they count in: account_id, list, key, at, row_id. `{}` is where the rows come from.
LEDGER = """
    SELECT p.account_id, 'ledger' AS list, '' AS key, p.at, p.id AS row_id
    FROM {posting} AS p WHERE p.account_id IS NOT NULL
    UNION ALL SELECT p.account_id, 'ledger', e.kind || '/' || p.asset, p.at, p.id
    FROM {posting} AS p JOIN paper_entry AS e ON e.id = p.entry_id WHERE p.account_id IS NOT NULL
"""
TRADE = "SELECT t.account_id, 'trade' AS list, '' AS key, t.at, t.id AS row_id FROM {trade} AS t"
ORDER = """
    SELECT o.account_id, 'order' AS list, '' AS key, o.closed_at AS at, o.id AS row_id
    FROM {order} AS o WHERE o.closed_at IS NOT NULL
    UNION ALL SELECT o.account_id, 'order', coalesce('userref:' || o.userref, 'id:' || o.cl_ord_id), o.closed_at, o.id
    FROM {order} AS o WHERE o.closed_at IS NOT NULL AND (o.userref IS NOT NULL OR o.cl_ord_id IS NOT NULL)
    UNION ALL SELECT o.account_id, 'order', 'span:' || CASE {spans} ELSE 'longer' END, o.closed_at, o.id
    FROM {order} AS o WHERE o.closed_at IS NOT NULL
"""
# What is held while rows are added, and which parts a ledger has. Orders have too many parts, one for each cl_ord_id.
COUNTED = "(n.list = 'ledger' OR n.key = '')"


def order(vendor: str, table: str) -> str:
    spans = " ".join(f"WHEN {OPEN_FOR[vendor]} <= {seconds} THEN '{seconds}'" for seconds in SPANS)
    return ORDER.format(order=table, spans=spans)


def sqlite_trigger(name: str, event: str, rows: str) -> str:
    """Row by row. `rows` are the parts that NEW counts in."""
    same = "r.account_id = n.account_id AND r.list = n.list AND r.key = n.key"
    return f"""
    CREATE TRIGGER {name} AFTER {event}
    BEGIN
        UPDATE paper_rank SET number = number + 1 WHERE id IN (
            SELECT r.id FROM ({rows}) AS n CROSS JOIN paper_rank AS r ON {same} AND (r.at, r.row_id) > (n.at, n.row_id)
        );
        INSERT INTO paper_rank (account_id, list, key, number, at, row_id)
        SELECT n.account_id, n.list, n.key, 1 + coalesce((
            SELECT r.number FROM paper_rank AS r WHERE {same} AND (r.at, r.row_id) < (n.at, n.row_id)
            ORDER BY r.at DESC, r.row_id DESC LIMIT 1
        ), 0), n.at, n.row_id FROM ({rows}) AS n;
        INSERT INTO paper_rankcount (account_id, list, key, count)
        SELECT n.account_id, n.list, n.key, 1 FROM ({rows}) AS n WHERE {COUNTED}
        ON CONFLICT (account_id, list, key) DO UPDATE SET count = count + 1;
    END
    """  # noqa: S608  (nothing of a request is in it)


def sqlite_statements() -> list[str]:
    def new(table: str) -> str:
        return f"(SELECT * FROM {table} WHERE id = NEW.id)"  # noqa: S608  (nothing of a request is in it)

    posting, trade = LEDGER.format(posting=new("paper_posting")), TRADE.format(trade=new("paper_trade"))
    closed = order("sqlite", new("paper_order"))
    return [
        sqlite_trigger("paper_posting_is_ranked", "INSERT ON paper_posting WHEN NEW.account_id IS NOT NULL", posting),
        sqlite_trigger("paper_trade_is_ranked", "INSERT ON paper_trade", trade),
        sqlite_trigger("paper_order_is_ranked", "INSERT ON paper_order WHEN NEW.closed_at IS NOT NULL", closed),
        sqlite_trigger(
            "paper_order_is_ranked_once_closed",
            "UPDATE OF closed_at ON paper_order WHEN OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL",
            closed,
        ),
    ]


# All rows of a statement at once. The counts are locked first, in one order: whoever comes second then sees what the
# first has written, and numbers go on from there. Nearly always nothing is later than what is written, and then nothing
# is looked for; otherwise later rows move up by as many as come before them, and lie between two numbers. Each look is
# into an index, whatever the planner believes of a table that has just begun to grow: a session keeps its plans.
POSTGRESQL_FUNCTION = """
    CREATE FUNCTION paper_rank_rows(accounts bigint[], lists text[], keys text[], ats timestamptz[], ids bigint[])
    RETURNS void LANGUAGE plpgsql
    SET enable_seqscan TO off SET enable_sort TO off SET jit TO off
    AS $$
    DECLARE
        befores bigint[];
        lasts bigint[];
    BEGIN
        INSERT INTO paper_rankcount AS c (account_id, list, key, count)
        SELECT n.account_id, n.list, n.key, count(*)
        FROM unnest(accounts, lists, keys) AS n (account_id, list, key) WHERE n.list = 'ledger' OR n.key = ''
        GROUP BY n.account_id, n.list, n.key ORDER BY n.account_id, n.list, n.key
        ON CONFLICT (account_id, list, key) DO UPDATE SET count = c.count + EXCLUDED.count;

        SELECT array_agg(coalesce((
            SELECT r.number FROM paper_rank AS r
            WHERE r.account_id = n.account_id AND r.list = n.list AND r.key = n.key
                AND (r.at, r.row_id) < (n.at, n.row_id)
            ORDER BY r.at DESC, r.row_id DESC LIMIT 1
        ), 0) ORDER BY n.place), array_agg(coalesce((
            SELECT r.number FROM paper_rank AS r
            WHERE r.account_id = n.account_id AND r.list = n.list AND r.key = n.key
            ORDER BY r.at DESC, r.row_id DESC LIMIT 1
        ), 0) ORDER BY n.place)
        INTO befores, lasts
        FROM unnest(accounts, lists, keys, ats, ids) WITH ORDINALITY AS n (account_id, list, key, at, row_id, place);

        IF befores <> lasts THEN
            UPDATE paper_rank AS r SET number = r.number + (
                SELECT count(*) FROM unnest(accounts, lists, keys, ats, ids) AS n (account_id, list, key, at, row_id)
                WHERE n.account_id = r.account_id AND n.list = r.list AND n.key = r.key
                    AND (n.at, n.row_id) < (r.at, r.row_id)
            )
            FROM (
                SELECT n.account_id, n.list, n.key, min(n.before) AS before, max(n.last) AS last
                FROM unnest(accounts, lists, keys, befores, lasts) AS n (account_id, list, key, before, last)
                GROUP BY n.account_id, n.list, n.key
            ) AS f
            WHERE r.account_id = f.account_id AND r.list = f.list AND r.key = f.key
                AND r.number > f.before AND r.number <= f.last;
        END IF;

        INSERT INTO paper_rank (account_id, list, key, number, at, row_id)
        SELECT n.account_id, n.list, n.key,
            n.before + row_number() OVER (PARTITION BY n.account_id, n.list, n.key ORDER BY n.at, n.row_id),
            n.at, n.row_id
        FROM unnest(accounts, lists, keys, ats, ids, befores) AS n (account_id, list, key, at, row_id, before);
    END $$
"""


def postgresql_trigger(name: str, table: str, event: str, tables: str, rows: str) -> list[str]:
    """Once for a statement. `rows` are the parts that the rows of the transition tables count in."""
    return [
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM paper_rank_rows(
                array_agg(n.account_id), array_agg(n.list), array_agg(n.key), array_agg(n.at), array_agg(n.row_id)
            ) FROM ({rows}) AS n HAVING count(*) > 0;
            RETURN NULL;
        END $$
        """,
        f"""
        CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {tables}
        FOR EACH STATEMENT EXECUTE FUNCTION {name}()
        """,
    ]


def postgresql_statements() -> list[str]:
    added = "NEW TABLE AS added"
    just = "(SELECT added.* FROM added JOIN before USING (id) WHERE before.closed_at IS NULL)"
    closed, just_closed = order("postgresql", "added"), order("postgresql", just)
    return [
        POSTGRESQL_FUNCTION,
        *postgresql_trigger(
            "paper_posting_is_ranked", "paper_posting", "INSERT", added, LEDGER.format(posting="added")
        ),
        *postgresql_trigger("paper_trade_is_ranked", "paper_trade", "INSERT", added, TRADE.format(trade="added")),
        *postgresql_trigger("paper_order_is_ranked", "paper_order", "INSERT", added, closed),
        *postgresql_trigger(
            "paper_order_is_ranked_once_closed", "paper_order", "UPDATE", f"{added} OLD TABLE AS before", just_closed
        ),
    ]


TRIGGERS = (
    "paper_posting_is_ranked",
    "paper_trade_is_ranked",
    "paper_order_is_ranked",
    "paper_order_is_ranked_once_closed",
)


def numbering(vendor: str) -> list[str]:
    """What numbers the rows that are there, and counts them."""
    numbered = [
        f"""
        INSERT INTO paper_rank (account_id, list, key, number, at, row_id)
        SELECT account_id, list, key,
            row_number() OVER (PARTITION BY account_id, list, key ORDER BY at, row_id), at, row_id
        FROM ({rows}) AS n
        """  # noqa: S608  (nothing of a request is in it)
        for rows in (
            LEDGER.format(posting="paper_posting"),
            TRADE.format(trade="paper_trade"),
            order(vendor, "paper_order"),
        )
    ]
    counted = f"""
        INSERT INTO paper_rankcount (account_id, list, key, count)
        SELECT n.account_id, n.list, n.key, count(*) FROM paper_rank AS n WHERE {COUNTED}
        GROUP BY n.account_id, n.list, n.key
    """  # noqa: S608  (nothing of a request is in it)
    return [*numbered, counted]


def forwards(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    triggers = sqlite_statements() if vendor == "sqlite" else postgresql_statements()
    for statement in (*triggers, *numbering(vendor)):
        schema_editor.execute(statement, params=None)


def backwards(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name in TRIGGERS:
        is_sqlite = schema_editor.connection.vendor == "sqlite"
        schema_editor.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP FUNCTION {name}() CASCADE")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION paper_rank_rows(bigint[], text[], text[], timestamptz[], bigint[])")


LISTS = [("ledger", "Ledger"), ("order", "Closed orders"), ("trade", "Trades")]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_one_organization"), ("paper", "0002_sealed_ledger")]

    operations = [
        migrations.CreateModel(
            name="Rank",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list", models.CharField(choices=LISTS, max_length=6)),
                ("key", models.CharField(blank=True, max_length=48)),
                ("number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("row_id", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "list", "key", "number"], name="rank_by_number")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("list__in", ["ledger", "order", "trade"])), name="rank_list_known"
                    ),
                    models.CheckConstraint(condition=models.Q(("number__gt", 0)), name="rank_counts_from_one"),
                    models.UniqueConstraint(
                        fields=("account", "list", "key", "at", "row_id"), name="rank_once_per_row"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RankCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list", models.CharField(choices=LISTS, max_length=6)),
                ("key", models.CharField(blank=True, max_length=48)),
                ("count", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "list", "key"), name="rank_count_once_per_part"),
                ],
            },
        ),
        migrations.RunPython(forwards, backwards),
    ]
