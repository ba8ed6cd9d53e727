"""`migrate` while others are at work: it holds nobody up, goes on where it stopped, and says which release it was."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import pairwise

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from portal.core.database.locks import number_of
from portal.core.database.migrating import release
from tests.database import triggers
from tests.database.upgraded.apps import UpgradedConfig

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('upgraded_by_number')"
FAR = "0008_one_of_each"
CONTRACTED = "0010_without_text"


@pytest.fixture(autouse=True)
def _upgraded(monkeypatch):
    """The tests' own app is there, with its first table, and gone again afterwards."""
    config = UpgradedConfig.create("tests.database.upgraded")
    config.apps, config.models = apps, {}
    # Not by the settings: all apps would be made ready once more.
    monkeypatch.setitem(apps.app_configs, "upgraded", config)
    call_command("migrate", "upgraded", "0001", verbosity=0)
    yield
    call_command("migrate", "upgraded", "zero", verbosity=0)


@pytest.fixture
def only_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for everything")


@contextmanager
def somebody_else() -> Iterator[psycopg.Connection]:
    """A connection of another process, as it were."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        yield other


@contextmanager
def lock_timeout(time: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [time])
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


def one(question: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
        return row and row[0]


def migrate(to: str) -> None:
    call_command("migrate", "upgraded", to, verbosity=0, stdout=StringIO())


def applied() -> list[str]:
    return sorted(name for app, name in MigrationRecorder(connection).applied_migrations() if app == "upgraded")


def columns() -> list[str]:
    with connection.cursor() as cursor:
        return sorted(column.name for column in connection.introspection.get_table_description(cursor, "upgraded_row"))


def test_there_and_back_on_either_database():
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO upgraded_row (text) VALUES (%s)", [["x" * (n % 7)] for n in range(1203)])
    before = triggers.present()
    migrate(FAR)
    assert one("SELECT count(*) FROM upgraded_row WHERE size = length(text)") == 1203
    for number, refusal in ((-1, "upgraded_never_negative"), (11, "upgraded_once_if_large|number")):
        with pytest.raises(IntegrityError, match=refusal), connection.cursor() as cursor:
            cursor.executemany("INSERT INTO upgraded_row (number) VALUES (%s)", [[number]] * 2)
    migrate(CONTRACTED)
    assert columns() == ["id", "number", "size"]
    migrate("0001")
    assert triggers.present() == before
    assert columns() == ["id", "number", "text"]


@pytest.mark.postgresql
@pytest.mark.parametrize("to", ["0002_size", "0003_by_number"])
def test_it_gives_up_on_a_table_in_use_and_passes_when_it_is_run_again(only_postgresql, to):
    """What alters a table waits for whoever holds it; what builds an index, for every transaction that is open."""
    migrate(f"000{int(to[3]) - 1}")
    with somebody_else() as other, lock_timeout("400ms"):
        other.execute("INSERT INTO upgraded_row (number) VALUES (1)")
        began = time.monotonic()
        with pytest.raises(CommandError) as refused:
            migrate(to)
        assert time.monotonic() - began < 5
        assert str(refused.value).startswith(f"upgraded.{to}: ")
        assert "\n" not in str(refused.value)
        assert to not in applied()
        if to == "0003_by_number":
            assert one(INDEX) is False, "an index that was begun is left, and nobody reads it"
        other.commit()
        migrate(to)
    assert applied()[-1] == to
    if to == "0003_by_number":
        assert one(INDEX) is True


@pytest.mark.postgresql
def test_an_index_that_was_finished_before_the_end_of_its_migration_is_taken_as_it_is(only_postgresql):
    migrate("0002")
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX upgraded_by_number ON upgraded_row (number, text)")
    before = one("SELECT to_regclass('upgraded_by_number')::oid")
    migrate("0003")
    assert one("SELECT to_regclass('upgraded_by_number')::oid") == before


@pytest.mark.postgresql
def test_writers_are_not_kept_out_while_an_index_on_a_big_table_is_built(only_postgresql):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO upgraded_row (number, text) SELECT n, md5(n::text) || md5((n + 1)::text) "
            "FROM generate_series(1, 150000) AS n"
        )
    moments, is_over = [time.monotonic()], threading.Event()

    def write() -> None:
        with somebody_else() as other:
            other.autocommit = True
            while not is_over.is_set():
                other.execute("INSERT INTO upgraded_row (number) VALUES (1)")
                moments.append(time.monotonic())

    writer = threading.Thread(target=write)
    migrate("0002")
    writer.start()
    began = time.monotonic()
    try:
        migrate("0003")
    finally:
        took = time.monotonic() - began
        is_over.set()
        writer.join(30)
    assert one(INDEX) is True
    longest = max(later - earlier for earlier, later in pairwise(moments))
    assert len([moment for moment in moments if began < moment < began + took]) > 10
    # The lock time-out is what nobody is kept out longer than; in truth it is far less.
    assert longest < 4, (longest, took)


@pytest.mark.postgresql
def test_of_two_at_once_one_is_told_that_the_other_runs(only_postgresql):
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [number_of("migrate")])
        with pytest.raises(CommandError, match="Another migrate runs"):
            migrate("0002")
    migrate("0002")


@pytest.mark.postgresql
def test_waiting_for_a_lock_has_an_end_also_where_no_setting_gives_it_one(only_postgresql, monkeypatch):
    monkeypatch.setattr("portal.core.database.long_commands.LOCK_TIMEOUT", "300ms")
    with somebody_else() as other, lock_timeout("0"):
        other.execute("LOCK TABLE upgraded_row")
        with pytest.raises(CommandError, match="in use for too long"):
            migrate("0002")


@pytest.mark.postgresql
def test_the_database_knows_which_release_migrated_it(only_postgresql, client):
    release.note("0.0.1")
    call_command("migrate", verbosity=0)
    assert release.noted() == settings.VERSION
    release.note("9.9.9")
    recorder = MigrationRecorder(connection)
    recorder.record_applied("audit", "9999_of_a_later_version")
    try:
        assert release.is_ahead(MigrationLoader(connection))
        call_command("migrate", verbosity=0)
        said = client.get("/readyz").json()
        assert (said["migrations"], said["migrated_by"], said["version"]) == ("ahead", "9.9.9", settings.VERSION)
    finally:
        recorder.record_unapplied("audit", "9999_of_a_later_version")
        release.note(settings.VERSION)
    assert "migrated_by" not in client.get("/readyz").json()


@pytest.mark.postgresql
def test_a_look_alone_waits_for_nobody(only_postgresql):
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [number_of("migrate")])
        out = StringIO()
        call_command("migrate", "upgraded", "0002", plan=True, stdout=out)
    assert "size" in out.getvalue()
    assert applied() == ["0001_initial"]
