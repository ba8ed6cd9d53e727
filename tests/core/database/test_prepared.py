"""The few hot statements on connections that lay idle (fault operations-F12)."""

import time

import pytest
from django.db import OperationalError, close_old_connections, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from portal.core.database.prepared import fetch
from tests.api.calls import Wire

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
OWN = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def _on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that ends a connection")


def end(pid):
    """Let the server end a connection, and wait until it has."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            for _ in range(200):
                cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
                if cursor.fetchone() is None:
                    return
                time.sleep(0.05)
        raise AssertionError("The server did not end it.")
    finally:
        other.close()


def test_a_connection_that_the_server_ended_costs_no_call(treasury_bot):
    """fault operations-F12: each thread answered one EService:Unavailable after its connection had been closed."""
    wire = Wire(treasury_bot)
    assert wire.ask("Balance")["error"] == []
    for _ in range(3):
        ((pid,),) = fetch(OWN, {})
        end(pid)
        # What a server does between two requests.
        close_old_connections()
        assert wire.ask("Balance")["error"] == []
        assert fetch(OWN, {}) != [(pid,)]


def test_looking_at_it_is_no_statement(treasury_bot):
    """fault operations-F12: the signed Balance stays at one."""
    wire = Wire(treasury_bot)
    wire.ask("Balance")
    close_old_connections()
    with CaptureQueriesContext(connection) as seen:
        wire.ask("Balance")
    assert len(seen) == 1


def test_a_connection_that_broke_before_costs_nothing_after(treasury_bot):
    """What found out that it was ended fails, and no later statement with it."""
    ((pid,),) = fetch(OWN, {})
    end(pid)
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute(OWN)
    assert fetch(OWN, {}) != [(pid,)]
    assert Wire(treasury_bot).ask("Balance")["error"] == []


def test_within_a_transaction_nothing_is_replaced():
    """What was done in it before is lost, so going on as if nothing had happened would do half."""
    ((pid,),) = fetch(OWN, {})

    def half():
        with transaction.atomic():
            fetch(OWN, {})
            end(pid)
            fetch(OWN, {})

    with pytest.raises(OperationalError):
        half()
    assert fetch(OWN, {}) != [(pid,)]
