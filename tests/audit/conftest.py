"""An Organization with a history of its own."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import actors
from tests import ground
from tests.database import triggers


@pytest.fixture(autouse=True)
def _empty_ground(request):
    """These tests count everything there is, so nothing else may be there."""
    marker = request.node.get_closest_marker("django_db")
    if marker or "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        is_transactional = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
        request.getfixturevalue("transactional_db" if is_transactional else "db")
        ground.clear()


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
