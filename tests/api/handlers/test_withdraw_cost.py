"""What asking for money costs: so many statements, and no more rows however much there is and has been."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey, Custodian, ServiceUser, Session
from policies.models import ChangeRequest, State
from portal.treasury import expired_holds
from portal.treasury.models import Address, Withdrawal

pytestmark = pytest.mark.django_db
BOTS, PAST = 2_000, 20_000
# What one statement of a busy machine adds well within its time.
BATCH = 1_000
# With the nonce's, and those that begin and end the transaction.
MOST = 20


def withdraw(treasury):
    return treasury.result("Withdraw", asset="XBT", key="btc-cold", amount="0.01")


def test_withdraw_takes_twenty_statements(treasury):
    withdraw(treasury)
    with CaptureQueriesContext(connection) as queries:
        withdraw(treasury)
    assert ChangeRequest.objects.filter(operation="treasury.withdraw", state=State.PENDING).count() == 2
    assert len(queries) <= MOST, "\n".join(query["sql"] for query in queries)


def test_the_history_is_held_for_the_append_alone(treasury):
    """Nothing that somebody else may hold is asked for after it: whoever waits for it waits for six statements."""
    withdraw(treasury)
    with CaptureQueriesContext(connection) as queries:
        withdraw(treasury)
    said = [query["sql"] for query in queries]
    [held] = [place for place, sql in enumerate(said) if "FROM audit_chain" in sql]
    after = [" ".join(sql.split()[:4]) for sql in said[held + 1 :]]
    assert [sql for sql in after if not sql.startswith(("INSERT INTO", "UPDATE audit_chain"))][:-1] == [
        "SELECT COALESCE(MAX(number), 0) +"
    ]
    assert len(after) == 6


def test_one_withdrawal_too_many_of_a_busy_bot_is_counted_by_what_is_open(treasury, world):
    """R6: what has ended takes no room."""
    past(world, 60)
    assert withdraw(treasury)["refid"]


@pytest.mark.postgresql
def test_it_reads_as_much_however_many_bots_keys_sessions_and_requests_there_are(treasury, world):
    withdraw(treasury)
    analyze()
    few = rows_read(treasury)
    crowd(world)
    past(world, PAST)
    analyze()
    many = rows_read(treasury)
    assert sum(many.values()) <= sum(few.values()) + 20, {
        sql: (few.get(sql), rows) for sql, rows in many.items() if rows > few.get(sql, 0)
    }


def rows_read(treasury) -> dict[str, int]:
    """The rows that each reading statement of a call looks at, with what is looked at once an hour."""
    expired_holds.forget()
    with CaptureQueriesContext(connection) as queries:
        withdraw(treasury)
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for query in queries:
            sql = query["sql"].strip()
            if sql.startswith("SELECT") and "pg_advisory" not in sql:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
                [(plan,)] = cursor.fetchall()
                shape = " ".join(sql.split()[:40])
                found[shape] = read(json.loads(plan)[0]["Plan"] if isinstance(plan, str) else plan[0]["Plan"])
    return found


def read(node) -> int:
    """The rows that the scans at the leaves of a plan went through, those that were thrown away included."""
    inner = node.get("Plans", [])
    rows = 0 if inner else node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(rows * node["Actual Loops"]) + sum(read(one) for one in inner)


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def crowd(world) -> None:
    """Bots with keys of every kind, made by one member, and sessions of all."""
    now, owner = timezone.now(), world.members["owner"]
    bots = ServiceUser.objects.bulk_create(
        ServiceUser(
            organization=world.organization, account=world.account, name=f"bot-{number}",
            permissions=["withdraw-funds"], created_at=now, changed_at=now,
        )
        for number in range(BOTS)
    )  # fmt: skip
    keys = ApiKey.objects.bulk_create(
        ApiKey(
            service_user=bot, public=f"{bot.pk}-{number}", sealed_secret="-", made_by=owner,
            created_at=now, revealed_at=now, revoked_at=now if number else None,
        )
        for bot in bots
        for number in range(2)
    )  # fmt: skip
    Custodian.objects.bulk_create(Custodian(api_key=key, member=owner, since=now, reason="made it") for key in keys)
    Session.objects.bulk_create(
        Session(session_key=f"{number:040}", session_data="-", expire_date=now, user=member.user, member=member)
        for number, member in enumerate(BOTS // 10 * [*world.members.values()])
    )


def past(world, count) -> None:
    """Requests of the bot that were carried out, with their withdrawals."""
    now, bot = timezone.now() - timedelta(days=30), world.bot("treasury-bot")
    address = Address.objects.get(account=world.account, key="btc-cold")
    changes = ChangeRequest.objects.bulk_create([
        ChangeRequest(
            organization=world.organization, number=1000 + number, reference=f"past-{number}",
            workflow="initiate_withdrawal", operation="treasury.withdraw", account=world.account, title="-",
            service_user=bot.service_user, api_key=bot.key, initiator_label="treasury-bot", params={}, digest="-",
            approvals_required=2, state=State.EXECUTED, created_at=now, expires_at=now + timedelta(hours=72),
            ended_at=now,
        )
        for number in range(count)
    ], batch_size=BATCH)  # fmt: skip
    analyze()
    Withdrawal.objects.bulk_create([
        Withdrawal(
            organization=world.organization, account=world.account, change=change, reference=f"past-{change.pk}",
            address=address, asset="XXBT", amount_units=10, fee_units=1, created_at=now,
        )
        for change in changes
    ], batch_size=BATCH)  # fmt: skip
