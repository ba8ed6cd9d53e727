"""The database itself keeps the history."""

import pytest
from django.db import DatabaseError, connection, transaction

from portal.audit.models import AuditEvent
from tests.database import triggers

pytestmark = pytest.mark.django_db

STATEMENTS = [
    "UPDATE audit_auditevent SET kind = 'x'",
    "UPDATE audit_auditevent SET hash = '' WHERE sequence = 1",
    "DELETE FROM audit_auditevent",
    "DELETE FROM audit_chain",
    "UPDATE audit_chain SET length = 0",
    "UPDATE audit_chain SET head = 'x'",
]
TRUNCATES = ["TRUNCATE audit_auditevent", "TRUNCATE audit_chain CASCADE"]


@pytest.mark.parametrize(
    "statement", STATEMENTS + [pytest.param(truncate, marks=pytest.mark.postgresql) for truncate in TRUNCATES]
)
def test_what_was_recorded_cannot_be_changed_or_removed(remember, statement):
    """DESIGN §9, AU-3: UPDATE, DELETE and TRUNCATE by raw SQL."""
    remember(2)
    connection.check_constraints()
    with pytest.raises(DatabaseError, match="only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEvent.objects.count() == 2


def test_the_orm_cannot_either(remember):
    (event,) = remember()
    event.kind = "x"
    for attempt in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()


def test_two_events_never_share_a_place(remember):
    """AU-4: sequence without gaps."""
    (event,) = remember()
    event.pk = None
    with pytest.raises(DatabaseError), transaction.atomic():
        event.save(force_insert=True)


def test_the_triggers_are_in_force():
    """AU-3: the fixture that lifts them for a flush has put them back."""
    assert {"audit_event_no_update", "audit_chain_only_grows", "audit_chain_no_delete"} <= triggers.present()


@pytest.mark.parametrize(
    ("table", "change"),
    [("audit_auditevent", "kind = 'x'"), ("audit_auditevent", "id = id + 1000"), ("audit_chain", "length = 0")],
)
def test_nothing_is_replaced(remember, table, change):
    """fault security-L4: INSERT OR REPLACE removes a row without asking the trigger that refuses to remove it."""
    remember(2)
    statement = "INSERT OR REPLACE INTO" if connection.vendor == "sqlite" else "INSERT INTO"
    column = change.split()[0]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 1")
        row = dict(zip([found[0] for found in cursor.description], cursor.fetchone(), strict=True))
        row[column] = {"kind": "x", "id": row["id"] + 1000, "length": 0}[column]
        marks = ", ".join(["%s"] * len(row))
        with pytest.raises(DatabaseError, match=r"replaced|duplicate"), transaction.atomic():
            cursor.execute(f"{statement} {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    assert AuditEvent.objects.count() == 2
