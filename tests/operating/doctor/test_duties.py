"""Periodic tasks, queued mail, and backups, by their age."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from portal.jobs import mail, periodic
from portal.jobs.models import TaskTurn
from portal.operating.backups import state
from portal.operating.doctor import duties
from portal.operating.doctor.findings import Level
from tests.operating.doctor.said import levels, only

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_is_well():
    TaskTurn.objects.all().delete()
    TaskTurn.objects.bulk_create(TaskTurn(name=task.name, due_at=timezone.now()) for task in periodic.all_tasks())
    DBTaskResult.objects.all().delete()


def test_tasks_had_their_turn_or_not():
    assert only(duties.look()).level is Level.OK
    late = periodic.all_tasks()[0]
    TaskTurn.objects.filter(name=late.name).update(due_at=timezone.now() - timedelta(days=1))
    found = only(duties.look())
    assert (found.level, found.found) == (Level.WRONG, f"late: {late.name}")


def queued(*, attempt: int = 0, minutes: int = 0) -> None:
    mail.deliver.enqueue("place", "sealed", attempt)
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(minutes=minutes))


def test_mail_waits_a_moment():
    assert only(duties.look_at_mail()).found == "0 wait"
    queued(minutes=3)
    found = only(duties.look_at_mail())
    assert (found.level, found.found) == (Level.OK, "1 wait, the oldest for 3 minutes")


def test_mail_that_nobody_sends():
    queued(minutes=180)
    found = only(duties.look_at_mail())
    assert (found.level, found.found) == (Level.WRONG, "1 wait, the oldest for 3 hours; nobody tries to send them")


def test_mail_that_is_not_taken():
    queued(attempt=2)
    found = only(duties.look_at_mail())
    assert (found.level, "did not take one twice" in found.found) == (Level.WRONG, True)


def test_who_can_open_a_backup_is_said_first(settings, tmp_path):
    settings.VAR, settings.BACKUP_RECIPIENT = tmp_path, ""
    assert "set PORTAL_BACKUP_RECIPIENT" in next(duties.look_at_backups()).do
    settings.BACKUP_RECIPIENT = "age1qqq"
    assert "PORTAL_BACKUP_RECIPIENT" not in next(duties.look_at_backups()).do


def test_backups_by_their_age(settings, tmp_path):
    settings.VAR, settings.DEBUG = tmp_path, False
    assert levels(duties.look_at_backups()) == [Level.WARN, Level.WARN]
    state.note("backup")
    state.note("drill")
    assert levels(duties.look_at_backups()) == [Level.OK, Level.OK]


@pytest.mark.parametrize(
    ("days", "expected"), [(1, [Level.OK, Level.OK]), (2, [Level.WRONG, Level.OK]), (9, [Level.WRONG] * 2)]
)
def test_old_ones_are_wrong(settings, monkeypatch, days, expected):
    settings.DEBUG = False
    at = timezone.now() - timedelta(days=days)
    monkeypatch.setattr("portal.operating.backups.ages", lambda: (at, at))
    assert levels(duties.look_at_backups()) == expected
