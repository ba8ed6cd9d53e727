"""What measures say: nothing of anybody, what the guide says of them, and the truth about requests, tasks and mail."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client.mmap_dict import mmap_key
from prometheus_client.parser import text_string_to_metric_families
from psycopg import errors

from benchmarks.counting.counted import statements
from policies.changes import decide
from policies.models import ChangeRequest, State
from portal import application
from portal.api import meters as of_calls
from portal.api.stream import application as streaming
from portal.core.database import outage
from portal.core.observing import folder, meters, writing
from portal.core.observing.meters import AtScrape, Counter, Gauge, Histogram
from portal.core.web.door import serving
from portal.dashboard import readiness
from portal.dashboard.readiness import Readiness
from portal.jobs import mail, periodic
from portal.jobs.models import TaskTurn
from portal.operating.backups import state
from portal.operating.metrics import exposition, here, standing
from portal.treasury.withdrawals import request_withdrawal
from portal.venues import standing as of_venues
from portal.venues.kraken.models import Alarm, Step
from tests.database.plans import analyze, most_read, readings
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
GUIDE = Path(__file__).resolve().parents[3] / "docs/observing.md"
ROW = re.compile(r"^\| `(countersign_\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$", re.MULTILINE)
# All that declares measures, as a server imports it.
SERVED = (application, serving, streaming)
KINDS = {Counter: "counter", Histogram: "histogram", Gauge: "gauge", AtScrape: "gauge"}


@pytest.fixture(autouse=True)
def _writing_here(settings, tmp_path, monkeypatch):
    """As in a process that serves, but that nothing is written beside the test."""
    settings.METRICS_DIR, settings.VAR = tmp_path / "metrics", tmp_path
    writer = writing._Writer()
    monkeypatch.setattr(writing, "_writer", writer)
    meters.heap.clear()
    yield
    writer.end()


def told():
    """Every sample that is told now, by its name and its labels."""
    writing._writer.write()
    found = {}
    for family in text_string_to_metric_families(exposition.text().decode()):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def of(name, **labels):
    return told().get((name, tuple(sorted(labels.items()))))


def test_every_measure_stands_in_the_guide_as_it_is():
    assert all(SERVED)
    rows = {name: (kind, labels, tells) for name, kind, labels, tells in ROW.findall(GUIDE.read_text())}
    assert rows == {
        meter.name: (KINDS[type(meter)], ", ".join(f"`{label}`" for label in meter.labels), meter.help)
        for meter in meters.declared()
    }


def test_names_are_prometheus_own():
    for meter in meters.declared():
        assert re.fullmatch(r"countersign_[a-z_]+[a-z]", meter.name)
        assert meter.name.endswith("_total") == isinstance(meter, Counter), meter.name
        assert not isinstance(meter, Histogram) or meter.name.endswith("_seconds")
        assert meter.help.endswith(".")


def test_every_value_of_a_label_comes_from_a_closed_set(world):
    """Security WB-12: whatever was noted, nothing that somebody can choose or is called stands in a label."""
    people = ("Demo Treasury", "owner@example.com", "TREASURY-KEY", "1.25", "bc1qexample")
    for meter in meters.declared():
        if isinstance(meter, Counter | Histogram):
            for name in people:
                meters.heap.append((meter, (name,) * len(meter.labels), 1.0))
    for name in people:
        of_calls.called(f"/0/private/{name}", f"EFunding:{name}", 0.1)
        of_calls.called(f"/0/public/{name}", name, 0.1)
    names = {each.name: each for each in meters.declared()}
    seen = 0
    for family in text_string_to_metric_families(_after_writing()):
        meter = names.get(family.name) or names[f"{family.name}_total"]
        for sample in family.samples:
            said = {label: value for label, value in sample.labels.items() if label != "le"}
            assert list(meter.labels) == [] or set(said) == set(meter.labels)
            for label, allowed in zip(meter.labels, meter.allowed, strict=True):
                assert said[label] in allowed, (family.name, said)
                assert not any(name in said[label] for name in people)
                seen += 1
    assert seen > 100


def _after_writing():
    writing._writer.write()
    return exposition.text().decode()


def test_all_that_can_ever_be_counted_finds_room_in_the_files():
    """Beyond it a file would grow onto a disk that may be full, which ends the process."""
    keys: dict[str, list[str]] = {"counter": [], "histogram": [], "gauge": []}
    for meter in meters.declared():
        names = list(meter.labels)
        for labels in meter.series():
            if isinstance(meter, Counter):
                name = meter.name.removesuffix("_total")
                keys["counter"].append(mmap_key(name, meter.name, names, list(labels), meter.help))
            elif isinstance(meter, Histogram):
                bounds = [str(bound) for bound in (*meter.buckets, "+Inf")]
                bucket = f"{meter.name}_bucket"
                keys["histogram"] += [
                    mmap_key(meter.name, bucket, [*names, "le"], [*labels, bound], meter.help) for bound in bounds
                ]
                keys["histogram"].append(mmap_key(meter.name, f"{meter.name}_sum", names, list(labels), meter.help))
            elif isinstance(meter, Gauge):
                keys["gauge"].append(mmap_key(meter.name, meter.name, names, list(labels), meter.help))
    for kind, found in keys.items():
        assert found
        assert folder.size(found) < folder.ROOM, kind


def test_calls_are_counted_by_method_and_error():
    of_calls.called("/0/private/Balance", "", 0.004)
    of_calls.called("/0/private/Balance", "EAPI:Invalid nonce", 0.002)
    of_calls.called("/0/private/NoSuchMethod", "EGeneral:Unknown method", 0.002)
    of_calls.called("/0/public/Time", "", 0.001)
    found = told()

    def calls(method, error):
        return found["countersign_calls_total", (("error", error), ("method", method))]

    assert calls("Balance", "none") == calls("Balance", "EAPI:Invalid nonce") == calls("public/Time", "none") == 1
    assert calls("other", "EGeneral:Unknown method") == 1
    assert found["countersign_call_seconds_count", (("kind", "read"),)] == 2
    assert found["countersign_call_seconds_bucket", (("kind", "read"), ("le", "0.0025"))] == 1


def test_the_error_of_an_answer_is_the_one_that_is_counted(client):
    refused = client.post("/0/private/Balance", "nonce=1", content_type=FORM, secure=True).json()["error"][0]
    client.get("/0/public/Time", secure=True)
    assert of("countersign_calls_total", method="Balance", error=refused) == 1
    assert of("countersign_calls_total", method="public/Time", error="none") == 1


@pytest.fixture
def asked(world, treasury_bot):
    """A withdrawal that takes two approvals."""
    return request_withdrawal(
        actor=treasury_bot.service_user,
        api_key=treasury_bot.key,
        account=world.account,
        key="btc-cold",
        asset="XBT",
        amount=Decimal("0.5"),
    )


def test_what_people_do_is_counted_once_it_is_kept(asked, ben, cleo, fresh, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for member in (ben, cleo):
            decide(asked.reference, member=member, approved=True, digest=asked.digest, proof=fresh(asked))
    mine = {"workflow": "initiate_withdrawal"}
    assert of("countersign_decisions_total", decision="approved", **mine) == 2
    assert of("countersign_requests_ended_total", state="executed", **mine) == 1
    assert of("countersign_events_total", kind="change.approved") == 2


def test_signing_in_is_counted_by_what_came_of_it(client, ana):
    for password in ("wrong", PASSWORD):
        client.post(reverse("accounts:sign_in"), {"email": ana.user.email, "password": password})
    assert of("countersign_sign_ins_total", factor="password", result="failed") == 1
    assert of("countersign_sign_ins_total", factor="password", result="succeeded") == 1


def test_requests_are_told_by_workflow_and_state(asked):
    change = asked
    mine = {"workflow": "initiate_withdrawal"}
    old = timezone.now() - timedelta(hours=1)
    ChangeRequest.objects.filter(pk=change.pk).update(created_at=old)
    assert of("countersign_requests", state="waiting", **mine) == 1
    assert of("countersign_request_oldest_seconds", state="waiting", **mine) == pytest.approx(3600, abs=60)
    ChangeRequest.objects.filter(pk=change.pk).update(expires_at=timezone.now() - timedelta(minutes=5))
    assert of("countersign_requests", state="waiting", **mine) == 0
    assert of("countersign_requests", state="overdue", **mine) == 1
    assert of("countersign_request_oldest_seconds", state="overdue", **mine) == pytest.approx(300, abs=60)
    ChangeRequest.objects.filter(pk=change.pk).update(state=State.APPROVED)
    assert of("countersign_requests", state="approved", **mine) == 1
    assert of("countersign_request_oldest_seconds", state="approved", **mine) == pytest.approx(3600, abs=60)
    ChangeRequest.objects.filter(pk=change.pk).update(ready_at=timezone.now() + timedelta(hours=1))
    assert of("countersign_requests", state="approved", **mine) == 0
    assert of("countersign_requests", state="delayed", **mine) == 1


@pytest.mark.postgresql
def test_what_is_approved_is_counted_without_a_walk_through_what_has_ended(asked):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL tells its plan")
    change = asked
    fields = {
        field.attname: getattr(change, field.attname)
        for field in ChangeRequest._meta.concrete_fields
        if field.attname not in {"id", "reference", "number", "asked_again_from_id"}
    }
    ended = {**fields, "state": State.REJECTED, "ended_at": timezone.now()}
    ChangeRequest.objects.bulk_create(
        ChangeRequest(**ended, number=1000 + turn, reference=f"T{turn:07}") for turn in range(3000)
    )
    ChangeRequest.objects.filter(pk=change.pk).update(state=State.APPROVED)
    analyze("policies_changerequest")
    found = readings(standing.look)
    rows, sql = most_read(found, "policies_changerequest")
    assert 0 < rows <= 4, sql
    assert not [each.sql for each in found if "policies_changerequest" in each.whole]
    (sql,) = [each.sql for each in found if """"state" = 'approved'""" in each.sql]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql.replace('%', '%%')}", [])
        assert "change_approved" in "".join(line for (line,) in cursor.fetchall())


def test_tasks_are_told_by_how_late_they_are():
    task = periodic.all_tasks()[0]
    TaskTurn.objects.all().delete()
    TaskTurn.objects.create(name=task.name, due_at=timezone.now() - timedelta(minutes=10))
    assert of("countersign_task_late_seconds", task=task.name) == pytest.approx(600, abs=60)
    assert of("countersign_task_age_seconds", task=task.name) == pytest.approx(600 + task.seconds, abs=60)


def test_mail_that_waits_is_told(world):
    DBTaskResult.objects.all().delete()
    assert (of("countersign_mail_queue"), of("countersign_mail_oldest_seconds")) == (0, 0)
    mail.deliver.enqueue("place", "sealed", 1)
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(minutes=20))
    assert (of("countersign_mail_queue"), of("countersign_mail_retried")) == (1, 1)
    assert of("countersign_mail_oldest_seconds") == pytest.approx(1200, abs=60)


def test_what_venues_are_asked_has_the_names_that_the_gateway_uses():
    assert set(of_venues.ALARMS) == set(Alarm.Kind.values)
    assert set(of_venues.STEPS) < set(Step.values)


def test_the_database_is_asked_by_a_bounded_number_of_statements(world):
    standing.look()
    with statements() as sent:
        standing.look()
    assert 0 < len(sent) <= 8


def test_a_database_that_is_away_leaves_out_what_it_would_say_and_nothing_else(monkeypatch):
    def away():
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(standing, "look", away)
    found = told()
    assert found["countersign_database_up", ()] == 0
    assert found["countersign_metrics_stored", ()] == 1
    assert not [name for name, _ in found if name == "countersign_requests"]
    monkeypatch.setattr(readiness, "now", lambda: Readiness({"database": "away"}))
    monkeypatch.setattr(standing, "look", lambda: pytest.fail("nobody asks a database that is away"))
    found = told()
    assert (found["countersign_ready", ()], found["countersign_database_up", ()]) == (0, 0)
    assert found["countersign_readiness", (("what", "database"), ("word", "away"))] == 1


def test_a_folder_that_cannot_be_read_leaves_out_what_lies_there(settings, tmp_path):
    settings.METRICS_DIR = tmp_path / "file"
    settings.METRICS_DIR.write_text("")
    found = told()
    assert found["countersign_metrics_stored", ()] == 0
    assert found["countersign_database_up", ()] == 1


def test_what_failed_in_the_database_is_counted_by_what_it_was():
    error = OperationalError("x")
    error.__cause__ = errors.LockNotAvailable("canceling statement due to lock timeout")
    outage.note(error)
    outage.note(OperationalError("database is locked"))
    outage.note(OperationalError("no idea"))
    assert of("countersign_database_failures_total", kind="lock_timeout") == 2
    assert of("countersign_database_failures_total", kind="other") == 1


def test_backups_are_told_by_their_age(monkeypatch):
    assert of("countersign_backup_age_seconds") is None
    state.note("backup")
    assert of("countersign_backup_age_seconds") == pytest.approx(0, abs=60)
    assert of("countersign_drill_age_seconds") is None


def test_every_word_of_the_probe_may_be_told():
    assert set().union(*readiness.STOPS.values()) <= set(here.WORDS)
    assert set(readiness.look().words) == set(here.WHAT)
