"""An Organization with a history of its own."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import actors
from tests import triggers


@pytest.fixture
def organization(db):
    return Organization.objects.create(name="Ledger Ltd", created_at=timezone.now())


@pytest.fixture
def remember(organization):
    """Record some events for the Organization, as a change would."""

    def remembered(count=1, *, kind=EventKind.POLICY_CONFIGURED, **data):
        with transaction.atomic():
            return [record(kind, actor=actors.operator(organization.pk), **data) for _ in range(count)]

    return remembered


@pytest.fixture
def tamper():
    """Run SQL as somebody who owns the database and has put its triggers aside."""

    def run(*statements):
        # PostgreSQL alters no table that still has constraints to check.
        connection.check_constraints()
        with triggers.lifted(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.check_constraints()

    return run
