"""`manage.py work`: one worker for each periodic task, patience with the database, and a clean end."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.authentication import notifications
from accounts.security import password_change
from portal.jobs import mail, periodic, worker
from portal.jobs.models import TaskTurn
from portal.jobs.periodic import PeriodicTask
from tests.database import migrated
from tests.database.triggers import rows_of_everything

COUNTED: list[str] = []


def count() -> None:
    COUNTED.append("ran")


@pytest.fixture
def task(monkeypatch) -> PeriodicTask:
    COUNTED.clear()
    found = PeriodicTask("tests.count", 60, count)
    monkeypatch.setattr(periodic, "all_tasks", lambda: (found,))
    return found


@pytest.mark.django_db
def test_a_duty_is_run_in_its_time_and_not_before(task):
    now = timezone.now()
    assert [periodic.run_due(now + timedelta(seconds=after)) for after in (0, 1, 59, 60, 61, 120)] == [1, 0, 0, 1, 0, 1]
    assert len(COUNTED) == 3


@pytest.mark.django_db
def test_a_duty_that_fails_is_due_again(task, monkeypatch):
    broken = PeriodicTask("tests.broken", 60, lambda: 1 // 0)
    monkeypatch.setattr(periodic, "all_tasks", lambda: (broken,))
    now = timezone.now()
    with pytest.raises(ZeroDivisionError):
        periodic.run_due(now)
    assert periodic.run_due(now + timedelta(seconds=59)) == 0
    with pytest.raises(ZeroDivisionError):
        periodic.run_due(now + timedelta(seconds=60))


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [5, 60, 3600])
@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(days=400)])
def test_a_clock_that_ran_ahead_puts_no_duty_to_sleep(monkeypatch, seconds, jump):
    """fault operations-F5: ahead for a moment, then right again; a turn as it is written now is left alone."""
    task = PeriodicTask("tests.count", seconds, COUNTED.clear)
    monkeypatch.setattr(periodic, "all_tasks", lambda: (task,))
    now = timezone.now()
    assert periodic.run_due(now + jump) == 1
    assert periodic.run_due(now) == 1
    assert periodic.run_due(now) == 0
    # Another has it, under a clock that is right: it keeps it, and so it does after the jump.
    assert periodic.take(task, now + timedelta(seconds=seconds))
    assert not periodic.take(task, now + timedelta(seconds=seconds + 1))
    assert periodic.take(task, now + jump)
    assert periodic.take(task, now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True])
def test_of_two_workers_one_takes_a_duty(task, is_known):
    if is_known:
        TaskTurn.objects.create(name=task.name, due_at=timezone.now() - timedelta(seconds=1))
    meeting, taken = Barrier(2), []

    def side() -> None:
        meeting.wait()
        taken.append(periodic.take(task, timezone.now()))
        connection.close()

    both(side)
    assert sorted(taken) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_runs_a_task(world, mailoutbox):
    notifications.notify_security(world.members["owner"].user, "password_changed")
    assert DBTaskResult.objects.ready().count() == 1
    meeting, ran = Barrier(2), []

    def side() -> None:
        meeting.wait()
        ran.append(worker.run_one("here"))
        connection.close()

    both(side)
    assert len(mailoutbox) == 1
    assert DBTaskResult.objects.successful().count() == 1


def both(side) -> None:
    threads = [Thread(target=side) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db
def test_no_link_lies_readable_in_the_queue(owner, mailoutbox):
    """SE-4: canary value through the flow, then search logs, mail, database dump: only the mail has it."""
    DBTaskResult.objects.all().delete()
    password_change.ask_for_link(owner.user.email)
    dump = rows_of_everything()
    mail.settle()
    (sent,) = mailoutbox
    token = str(sent.body).split("/reset/")[1].split("/")[0].split()[0]
    assert len(token) >= 20
    for text in (dump, rows_of_everything()):
        assert token not in text
        assert "Open this link within an hour" not in text


@pytest.mark.django_db
def test_a_mail_that_could_not_be_sent_is_tried_again_later(owner, mailoutbox, settings, caplog):
    DBTaskResult.objects.all().delete()
    password_change.ask_for_link(owner.user.email)
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "no.such.backend"
    mail.settle()
    settings.EMAIL_BACKEND = backend
    mail.settle()
    assert mailoutbox == []
    with time_machine.travel(timezone.now() + timedelta(minutes=1, seconds=1), tick=False):
        mail.settle()
    assert len(mailoutbox) == 1


@pytest.mark.django_db
def test_a_mail_that_no_server_takes_is_given_up_in_the_end(owner, mailoutbox, settings, caplog):
    """It is tried six times, which the operator hears of, and does not stand before the others for ever."""
    DBTaskResult.objects.all().delete()
    password_change.ask_for_link(owner.user.email)
    settings.EMAIL_BACKEND = "no.such.backend"
    failing = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for pause in (timedelta(0), *mail.AGAIN_AFTER):
            clock.shift(pause + timedelta(seconds=1))
            mail.settle()
            failing.append(mail.keeps_failing())
        clock.shift(timedelta(days=30))
        mail.settle()
    assert failing == [False, True, True, True, True, False]
    assert caplog.text.count("was not sent") == 6
    assert not DBTaskResult.objects.ready().exists()


@pytest.mark.django_db
def test_a_mail_without_its_subject_is_a_fault_and_queues_nothing(settings, tmp_path):
    """Its first line would else be lost, or stand in the head of the mail."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "headless.txt").write_text("Dear {{ name }},\nSubject: too late\n")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    before = DBTaskResult.objects.count()
    with pytest.raises(ValueError, match=r"mail/headless\.txt does not begin with its subject"):
        mail.send("headless", to=["ana@demo.test"], context={"name": "Ana"})
    assert DBTaskResult.objects.count() == before


@pytest.mark.django_db
def test_what_a_killed_worker_had_begun_is_taken_up(owner, mailoutbox):
    DBTaskResult.objects.all().delete()
    password_change.ask_for_link(owner.user.email)
    DBTaskResult.objects.get().claim("killed")
    worker.take_up_lost_tasks()
    mail.settle()
    assert mailoutbox == []
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        worker.take_up_lost_tasks()
        mail.settle()
    assert len(mailoutbox) == 1
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        worker.forget_finished_tasks()
    assert not DBTaskResult.objects.exists()


@pytest.mark.django_db
def test_a_database_that_goes_away_is_waited_for(monkeypatch, caplog):
    found = worker.Worker()
    answers = iter([OperationalError("gone"), ValueError("broken"), None])

    def one() -> int:
        answer = next(answers)
        if answer is None:
            found._is_told_to_stop = True
            return 0
        raise answer

    monkeypatch.setattr(periodic, "run_due", one)
    monkeypatch.setattr(worker, "run_one", lambda _name: False)
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(worker, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.01)
    found.run()
    assert "The database does not answer: OperationalError" in caplog.text
    assert "A periodic task failed" in caplog.text


@pytest.mark.slow
def test_it_ends_cleanly_when_told(tmp_path):
    """It is told right in its work, and says goodbye with 0."""
    environment = {**os.environ, "PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py"]
    migrated.begun(tmp_path)
    with subprocess.Popen(
        [*command, "work"], cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Working.")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
