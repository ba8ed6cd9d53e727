"""Periodic tasks run beside mail, never behind it: with real mail servers on real sockets."""

import os
import signal
import subprocess
import sys
import time
from threading import Thread

import pytest
from django.conf import settings as project
from django.core.mail import EmailMessage
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from portal.jobs import mail, periodic, worker
from portal.jobs.periodic import PeriodicTask
from tests.database import migrated
from tests.jobs import mail_servers

TIMES: list[float] = []


@pytest.fixture
def task(monkeypatch):
    """The one task there is, due every second."""
    TIMES.clear()
    monkeypatch.setattr(periodic, "all_tasks", lambda: (PeriodicTask("tests.each_second", 1, lambda: TIMES.append(0)),))


@pytest.fixture
def post(settings):
    """Send mail for real, to the server at a port."""

    def to(port: int, seconds: int = 60) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, seconds
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    return to


def queue(count: int) -> None:
    DBTaskResult.objects.all().delete()
    for number in range(count):
        mail.send("enrol", to=[f"person{number}@example.test"], context={})


def until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def at_work() -> tuple[worker.Worker, Thread]:
    found = worker.Worker()
    thread = Thread(target=found.run)
    thread.start()
    return found, thread


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_hangs_holds_up_no_duty(world, task, post):
    """fault operations-F4: mail waits for its server, what only time brings about does not."""
    server = mail_servers.Silent()
    post(server.port)
    queue(3)
    found, thread = at_work()
    try:
        assert server.called.wait(10)
        ran = len(TIMES)
        until(lambda: len(TIMES) >= ran + 3)
        assert DBTaskResult.objects.running().count() == 1
    finally:
        found._is_told_to_stop = True
        server.let_go()
        thread.join(20)
    assert not thread.is_alive()
    # The mail that was being sent waits for its next try; the others were never begun.
    assert DBTaskResult.objects.ready().count() == 2
    assert DBTaskResult.objects.exclude(run_after__lte=timezone.now()).filter(run_after__year__lt=9999).count() == 1
    assert not DBTaskResult.objects.running().exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_fast_failures_hold_up_no_duty(world, task, monkeypatch):
    """fault operations-F4: a backlog that is worked through without a pause starves nothing."""
    monkeypatch.setattr(EmailMessage, "send", lambda _self: time.sleep(0.3))
    queue(30)
    found, thread = at_work()
    try:
        until(lambda: len(TIMES) >= 3)
        assert DBTaskResult.objects.ready().exists()
    finally:
        found._is_told_to_stop = True
        thread.join(20)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_mail_once(world, task, post):
    with mail_servers.taking() as server:
        post(server.port)
        queue(12)
        workers = [at_work() for _ in range(3)]
        until(lambda: len(server.taken) >= 12)
        for found, _ in workers:
            found._is_told_to_stop = True
        for _, thread in workers:
            thread.join(20)
        sent = sorted(text.split("To: ")[1].splitlines()[0] for text in server.taken)
    assert sent == sorted(f"person{number}@example.test" for number in range(12))


@pytest.mark.slow
def test_it_ends_once_the_mail_that_it_sends_is_done(tmp_path):
    """SIGTERM in the middle of a mail: the mail is finished with, the exit status is 0."""
    server = mail_servers.Silent()
    environment = {**os.environ, "PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    environment["EMAIL_URL"] = f"smtp://127.0.0.1:{server.port}"

    def manage(*arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def run(*arguments: str) -> None:
        subprocess.run(manage(*arguments), cwd=project.BASE_DIR, env=environment, check=True)

    migrated.begun(tmp_path)
    run("shell", "-v", "0", "-c", "from portal.jobs import mail; mail.send('enrol', to=['a@example.test'], context={})")
    with subprocess.Popen(
        manage("work"), cwd=project.BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert server.called.wait(20)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        server.let_go()
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert "Mail enrol was not sent: SMTPServerDisconnected" in process.stderr.read()
