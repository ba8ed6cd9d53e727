"""No wait without an end: what DATABASE_URL is completed with, and what that does (fault operations-F2, F9)."""

import time
from threading import Event, Thread

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import OperationalError, connection, transaction
from django.urls import reverse
from environ import Env

from policies.models import ChangeRequest
from portal import databases
from portal.audit.record import lock_history
from portal.core.database.long_commands import unhurried
from tests.api.calls import Wire
from tests.factories import people
from tests.factories.world import PASSWORD

URL = "postgres://user:word@database.example.test:5432/portal"
PATIENCE_SECONDS = databases.SESSION["lock_timeout"] / 1000


def options(query=""):
    return databases.settled(Env.db_url_config(URL + query))["OPTIONS"]


def test_an_address_that_cannot_be_read_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", URL.replace("word", "se/cret"))
    with pytest.raises(ImproperlyConfigured, match="written as %2F") as told:
        databases.named(Env(), default="sqlite://:memory:")
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__
    assert "'se" not in str(told.value)
    assert "cret" not in str(told.value)
    monkeypatch.setenv("DATABASE_URL", URL.replace("word", "se%2Fcret"))
    assert databases.named(Env(), default="sqlite://:memory:")["PASSWORD"] == "se/cret"


def test_every_wait_has_an_end_unless_the_url_says_otherwise():
    """fault operations-F2: a host that vanished without a word held every call for minutes."""
    said = options()
    assert said["connect_timeout"] + said["tcp_user_timeout"] / 1000 <= 10
    assert said["keepalives_idle"] + said["keepalives_interval"] * said["keepalives_count"] <= 10
    for name in databases.SESSION:
        assert f"-c {name}=" in said["options"]
    assert "lock_timeout" not in said
    assert options("?connect_timeout=9&keepalives=0") == {**said, "connect_timeout": 9, "keepalives": 0}


def test_what_the_url_says_wins():
    """fault operations-F2, fault operations-F9."""
    assert "-c lock_timeout=9s " in options("?lock_timeout=9s")["options"]
    assert options("?options=-c%20lock_timeout%3D1")["options"].endswith(" -c lock_timeout=1")
    off = options("?lock_timeout=0&statement_timeout=0&idle_in_transaction_session_timeout=0")
    assert "options" not in off
    assert databases.settled(Env.db_url_config(URL + "?conn_max_age=0"))["CONN_MAX_AGE"] == 0
    with pytest.raises(ImproperlyConfigured, match="statement_timeout"):
        options("?statement_timeout=1%20-c%20x=y")


def test_statements_need_not_be_prepared():
    """fault operations-F9: behind a pool by transaction they must not."""
    assert options()["prepare_threshold"] == 5
    assert options("?prepare_threshold=0")["prepare_threshold"] == 0
    assert options("?prepare_threshold=none")["prepare_threshold"] is None
    with pytest.raises(ImproperlyConfigured, match="prepare_threshold"):
        options("?prepare_threshold=soon")


def test_sqlite_waits_for_its_one_lock_but_not_for_long():
    said = databases.settled({"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"timeout": 3}})
    assert said["OPTIONS"]["timeout"] == 3
    assert said["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert databases.settled({"ENGINE": "django.db.backends.sqlite3"})["OPTIONS"]["timeout"] <= 10


def shown(name):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_times_are_in_force_and_commands_that_look_at_everything_lift_them():
    """fault operations-F2: migrations and long commands are not cut off."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has none of them")
    before = {name: shown(name) for name in databases.SESSION}
    assert "0" not in before.values()
    assert shown("plan_cache_mode") == "force_generic_plan"
    with unhurried():
        assert shown("statement_timeout") == shown("idle_in_transaction_session_timeout") == "0"
        assert shown("lock_timeout") == before["lock_timeout"]
    assert {name: shown(name) for name in databases.SESSION} == before


@pytest.fixture
def forgotten(world):
    """Somebody's transaction that holds one Organization's history and does not end; gives how to end it."""
    held, over = Event(), Event()

    def hold():
        try:
            with transaction.atomic():
                lock_history(world.organization.pk)
                held.set()
                over.wait(60)
        finally:
            connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(20)
    yield over
    over.set()
    thread.join()


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_forgotten_transaction_ends_the_wait_of_who_needs_its_lock_and_stops_nobody_else(
    forgotten, world, client, ana, caplog
):
    """fault operations-F2: twelve Withdraws stood before one row, and held every thread that there was for 29 s."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for all")
    answers = {}

    def withdraw():
        began = time.monotonic()
        answer = Wire(world.bot("treasury-bot")).ask("Withdraw", asset="XBT", key="btc-cold", amount="0.01")
        answers["withdraw"] = answer, time.monotonic() - began
        connection.close()

    waiting = Thread(target=withdraw)
    waiting.start()
    began = time.monotonic()
    assert Wire(world.bot("eve-bot")).ask("Balance")["error"] == []
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    # A page that waits for it is told so as well, and loses no thread to it.
    page = client.post(reverse("accounts:sign_in"), {"email": ana.user.email, "password": PASSWORD})
    page = client.post(reverse("accounts:verify"), {"code": people.code(ana)})
    waiting.join(30)
    answer, seconds = answers["withdraw"]
    assert answer == {"error": ["EService:Unavailable"]}
    assert seconds < PATIENCE_SECONDS + 5
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "LockNotAvailable" in caplog.text
    assert not [line for line in caplog.records if line.exc_info]
    assert not ChangeRequest.objects.filter(service_user=world.bot("treasury-bot").service_user).exists()


@pytest.mark.postgresql
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_migration_gives_up_at_a_table_that_somebody_holds(forgotten, monkeypatch):
    """fault operations-F2: waiting for it would hold up everybody who comes after it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for all")

    def changes_a_table(*_args, **_options):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE audit_chain IN ACCESS EXCLUSIVE MODE")

    monkeypatch.setattr(Migrate, "handle", changes_a_table)
    with pytest.raises(CommandError, match="Run migrate again"):
        call_command("migrate", verbosity=0)


@pytest.mark.django_db
def test_a_migration_that_fails_for_another_reason_says_that_one(monkeypatch):
    """To run it again at a quieter time would be no help."""

    def full(*_args, **_options):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Migrate, "handle", full)
    with pytest.raises(OperationalError, match="disk is full"):
        call_command("migrate", verbosity=0)
