"""The signs of life: whom they answer, what they say, and that it is true (fault operations-F13)."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from psycopg import errors

from portal.core.models import SealingCanary
from portal.core.web import proxies
from portal.dashboard import readiness
from portal.dashboard.readiness import Readiness
from portal.dashboard.views.health import probes
from portal.jobs import mail, periodic
from portal.jobs.models import TaskTurn
from tests.core.secrets.conftest import drawn, with_keys
from tests.core.secrets.test_canary import name_of
from tests.release import release

__all__ = ["with_keys"]

WORDS = {"away", "read-only", "full", "ahead", "behind", "wrong", "missing", "late", "failing", "unlisted", "ok"}


@pytest.fixture(autouse=True)
def _all_is_well(db, monkeypatch):
    """Every task had its turn just now, and nobody spoke as a proxy."""
    moment = timezone.now()
    TaskTurn.objects.all().delete()
    TaskTurn.objects.bulk_create(TaskTurn(name=task.name, due_at=moment) for task in periodic.all_tasks())
    DBTaskResult.objects.all().delete()
    monkeypatch.setattr(proxies, "_unlisted", {})


def ready(client, status=200):
    response = client.get("/readyz")
    said = response.json()
    assert response.status_code == status, said
    assert said["ready"] is (status == 200)
    assert ("Retry-After" in response.headers) is (status == 503)
    return said


def test_all_is_well(client):
    assert ready(client) == {
        "ready": True,
        "degraded": [],
        "database": "ok",
        "migrations": "ok",
        "sealing": "ok",
        "duties": "ok",
        "mail": "ok",
        "static": "ok",
        "counters": "ok",
        "proxies": "ok",
        "late": [],
        "flood_limit": "process",
        "version": release(),
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_needs_no_name_no_session_and_leaves_no_line(client, caplog, path):
    """fault operations-F13: by address it was a 400 and 17 lines of traceback."""
    client.cookies["session"] = "x" * 32
    answer = client.get(path, headers={"host": "10.1.2.3:8000"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert client.get(path, headers={"host": "not a name!"}).status_code == 200
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405
    assert caplog.records == []


def test_being_alive_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok"


def test_the_same_is_answered_in_front_of_django():
    """fault operations-F13: as a server calls it."""

    def never(environ, start_response):
        raise AssertionError("It went on to the rest.")

    said: dict[str, str] = {}

    def start(status, headers, exc_info=None, /):
        said.update(status=status, **dict(headers))
        return lambda _: None

    environ = RequestFactory().get("/readyz", headers={"host": "10.1.2.3"}).environ
    body = b"".join(probes(never)(environ, start))
    assert said["status"] == "200 OK"
    assert int(said["Content-Length"]) == len(body)
    assert b'"ready": true' in body


def broken(error):
    def fail(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "core_sealingcanary" in sql:
            raise OperationalError(str(error)) from error
        return execute(sql, params, many, context)

    return connection.execute_wrapper(fail)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (errors.DiskFull("could not extend file: No space left on device"), "full"),
        (RuntimeError("database or disk is full"), "full"),
        (errors.ReadOnlySqlTransaction("cannot execute UPDATE in a read-only transaction"), "read-only"),
        (RuntimeError("attempt to write a readonly database"), "read-only"),
        (errors.AdminShutdown("terminating connection"), "away"),
    ],
)
def test_a_database_that_takes_no_change_is_said(client, error, word):
    """fault operations-F13: ready with a full disk."""
    ready(client)
    with broken(error):
        assert ready(client, 503)["database"] == word


def test_a_full_disk_beside_sqlite_is_seen(client, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL says so itself")
    monkeypatch.setattr(readiness, "SQLITE_ROOM", 2**80)
    assert ready(client, 503)["database"] == "full"


@pytest.mark.postgresql
def test_room_for_more_than_the_change_is_asked_for_on_postgresql(client, django_assert_max_num_queries):
    """fault operations-F13: a change finds a place on a full disk for a while; a file of a megabyte does not."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks the file system")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {readiness.SPILL}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "temp read" in plan or "temp written" in plan, plan


def test_a_database_that_is_gone_is_said_and_the_rest_goes_unsaid(client):
    def gone(*_args):
        raise OperationalError("could not connect")

    with connection.execute_wrapper(gone):
        said = ready(client, 503)
    assert said["database"] == "away"
    assert "sealing" not in said


def test_migrations_that_are_missing_stop_it_and_those_of_a_later_version_do_not(client):
    """fault operations-F13, F6: while nodes are replaced one after the other, the old ones go on."""
    recorder = MigrationRecorder(connection)
    recorder.record_applied("audit", "9999_of_a_later_version")
    said = ready(client)
    assert (said["migrations"], said["degraded"]) == ("ahead", ["migrations"])
    recorder.record_unapplied("audit", "9999_of_a_later_version")
    for latest in MigrationLoader(connection).graph.leaf_nodes("audit"):
        recorder.record_unapplied(*latest)
    assert ready(client, 503)["migrations"] == "behind"


def test_a_wrong_sealing_key_is_said(client, with_keys, settings):
    """fault operations-F7, fault operations-F13."""
    ready(client)
    assert SealingCanary.objects.filter(key=name_of(settings.SEALING_KEYS)).exists()
    with_keys(f"{name_of(settings.SEALING_KEYS)}:{drawn()}")
    assert ready(client, 503)["sealing"] == "wrong"


def test_pages_without_their_style_sheets_are_said(client, settings, tmp_path, monkeypatch):
    """fault operations-F13: without `collectstatic` every page was a 500, and the portal ready."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    monkeypatch.setattr(readiness, "staticfiles_storage", storages["staticfiles"])
    assert ready(client, 503)["static"] == "missing"


@pytest.mark.parametrize("off_by", [timedelta(minutes=-30), timedelta(hours=2), None])
def test_a_duty_that_nobody_does_or_that_sleeps_is_named(client, off_by):
    """fault operations-F13: no `work` running, or asleep after a clock step."""
    name = "policies.tasks.expire_changes"
    if off_by is None:
        TaskTurn.objects.filter(name=name).delete()
    else:
        TaskTurn.objects.filter(name=name).update(due_at=timezone.now() + off_by)
    said = ready(client)
    assert (said["duties"], said["late"], said["degraded"]) == ("late", [name], ["duties"])


def test_mail_that_waits_for_long_or_keeps_failing_is_said(client):
    """fault operations-F13: mail dead for hours. Mail that was just queued says nothing, not even that it is there."""
    mail.send("key_notice", to=["ana@demo.test"], context={"subject": "One", "short": "Kx4v"})
    assert ready(client)["mail"] == "ok"
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(minutes=11))
    assert ready(client)["degraded"] == ["mail"]
    DBTaskResult.objects.all().delete()
    mail.deliver.using(run_after=timezone.now() + timedelta(hours=1)).enqueue("place", "sealed", 1)
    assert ready(client)["mail"] == "ok"
    mail.deliver.using(run_after=timezone.now() + timedelta(hours=1)).enqueue("place", "sealed", 2)
    assert ready(client)["mail"] == "failing"


def test_a_neighbour_that_speaks_as_a_proxy_and_is_not_listed_is_said(client):
    """fault operations-F13: behind it everybody counts as one source."""
    client.get("/sign-in/", REMOTE_ADDR="9.9.9.9", headers={"x-forwarded-for": "198.51.100.7"})
    assert ready(client)["proxies"] == "ok"
    client.get("/sign-in/", REMOTE_ADDR="10.0.0.5", headers={"x-forwarded-for": "198.51.100.7"})
    assert ready(client)["degraded"] == ["proxies"]


def test_many_who_ask_cost_one_look_and_one_that_hangs_holds_up_nobody(client, settings, monkeypatch):
    """fault operations-F13, fault operations-F2: it is asked by strangers, and never answered while a host was gone."""
    settings.READINESS_KEPT_SECONDS = 60
    looks, release = [], threading.Event()

    def look():
        looks.append(1)
        return Readiness({"database": "ok"})

    monkeypatch.setattr(readiness, "_looker", readiness._Looker(look))
    assert {client.get("/readyz").status_code for _ in range(5)} == {200}
    assert len(looks) == 1

    def hang():
        release.wait(30)
        return Readiness({"database": "ok"})

    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(readiness, "_looker", readiness._Looker(hang))
    began = time.monotonic()
    try:
        assert [client.get("/readyz").status_code for _ in range(5)] == [503] * 5
        assert time.monotonic() - began < 5
    finally:
        release.set()


def test_every_word_stands_in_the_guide():
    """Nothing but these words is told to strangers, and each is explained."""
    guide = (Path(__file__).parents[2] / "docs/operating.md").read_text()
    assert set().union(*readiness.STOPS.values()) <= WORDS
    for word in WORDS - {"ok"}:
        assert f"`{word}`" in guide, word
