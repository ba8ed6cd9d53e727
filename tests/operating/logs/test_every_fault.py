"""Whatever goes wrong is one JSON object a line, with the number that the answer has and who stood behind it."""

import json
import logging
from io import StringIO
from logging.config import dictConfig

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django_tasks import task

from portal.api.limits import refusal_events
from portal.jobs import periodic, worker
from portal.jobs.periodic import PeriodicTask
from portal.log_settings import logging_of
from tests.api.calls import Wire

pytestmark = pytest.mark.django_db


class Log:
    """What was written since it was last asked for."""

    def __init__(self) -> None:
        self.written = StringIO()

    def lines(self) -> "list[dict[str, object]]":
        said = [json.loads(line) for line in self.written.getvalue().splitlines()]
        self.written.truncate(0)
        self.written.seek(0)
        return said


@pytest.fixture
def log():
    """The settings of an installation, and everything as it was afterwards."""
    found = Log()
    names = (None, "django", "uvicorn", "uvicorn.error", "_granian", "granian.access", "opentelemetry", "urllib3")
    before = [(each, each.handlers[:], each.level) for each in map(logging.getLogger, names)]
    configured = logging_of("json")
    configured["handlers"]["console"]["stream"] = found.written
    dictConfig(configured)
    # The first refusal of its kind is said, also when another test had one.
    refusal_events.forget_all()
    yield found
    refusal_events.forget_all()
    for each, handlers, level in before:
        each.handlers[:], each.level = handlers, level


def gone(*_args):
    raise OperationalError("could not connect to server\nIs it running?")


@task()
def fail() -> None:
    raise RuntimeError("a queued task")


@pytest.mark.urls("tests.dashboard.broken_urls")
def test_a_page_that_breaks(log):
    answer = Client(raise_request_exception=False).get("/broken/")
    (said,) = log.lines()
    assert said["request_id"] == answer.headers["X-Request-Id"]
    assert (said["level"], said["status"], said["actor"]) == ("error", 500, "person")
    assert (said["verb"], said["route"]) == ("GET", "tests.dashboard.broken_urls.broken")
    assert str(said["traceback"]).endswith("RuntimeError: the words of the fault")


def test_a_page_that_is_refused(log, client, ana, sign_in):
    sign_in(client, ana)
    ana.grants.all().delete()
    answer = client.get(reverse("accounts:members"))
    (said,) = log.lines()
    assert (said["status"], said["route"], said["actor"]) == (403, "accounts:members", "person")
    assert said["request_id"] == answer.headers["X-Request-Id"]
    assert "traceback" not in said
    assert str(ana) not in str(said)
    assert ana.user.email not in str(said)


def test_a_page_that_is_not_there(log, client):
    client.get("/nowhere/%0a2026-01-01 CRITICAL/")
    (said,) = log.lines()
    assert (said["status"], said["verb"]) == (404, "GET")
    assert "route" not in said


def test_a_call_that_is_refused(log, treasury_bot):
    wire = Wire(treasury_bot)
    answer = wire.send("Balance", b"nonce=1", nonce="1", signature="AAAA")
    (said,) = log.lines()
    assert (said["actor"], said["method"], said["request_id"]) == ("bot", "Balance", answer.headers["X-Request-Id"])
    assert treasury_bot.public not in str(said)


def test_a_call_that_breaks(log, treasury_bot, monkeypatch):
    monkeypatch.setattr("portal.api.gateway.permissions.held_by", lambda _: 1 // 0)
    Wire(treasury_bot).error("WithdrawStatus")
    (said,) = log.lines()
    assert (said["actor"], said["method"], said["level"]) == ("bot", "WithdrawStatus", "error")
    assert str(said["traceback"]).endswith("ZeroDivisionError: integer division or modulo by zero")


def test_a_database_that_is_away(log, treasury_bot, client, ana, sign_in):
    sign_in(client, ana)
    client.raise_request_exception = False
    with connection.execute_wrapper(gone):
        Wire(treasury_bot).error("Balance")
        client.get("/inbox/")
    said = log.lines()
    assert {each["actor"] for each in said} == {"bot", "person"}
    for each in said:
        assert "could not connect to server" in str(each["message"])
        assert "traceback" not in each


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails(log, monkeypatch):
    found = PeriodicTask("tests.broken", 60, lambda: 1 // 0)
    monkeypatch.setattr(periodic, "all_tasks", lambda: (found,))
    working = worker.Worker()

    def once() -> bool:
        working._is_told_to_stop = True
        return periodic.run_due() > 0

    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0)
    working._repeat(once, "A periodic task failed")
    (said,) = log.lines()
    assert (said["actor"], said["task"], said["message"]) == ("system", "tests.broken", "A periodic task failed")
    assert "ZeroDivisionError" in str(said["traceback"])
    fail.enqueue()
    worker.run_ready()
    said = log.lines()
    assert {(each["actor"], each["task"]) for each in said} == {("system", f"{__name__}.fail")}
    assert any("RuntimeError: a queued task" in str(each.get("traceback")) for each in said)


def test_a_canary_is_in_no_line(log, treasury_bot, monkeypatch):
    """SE-4: the secret of a bot in an exception, in its cause, in a path, in a body and in the place of a key."""
    secret = treasury_bot.secret

    def broken(_: object) -> None:
        try:
            raise ValueError(f"nonce=1&secret={secret}")
        except ValueError as error:
            raise RuntimeError("of %s", (secret, {"amount": "1.25 BTC"})) from error

    monkeypatch.setattr("portal.api.gateway.permissions.held_by", broken)
    wire = Wire(treasury_bot)
    wire.error("WithdrawStatus", secret=secret)
    wire.read(wire.send(f"Balance/{secret}", f"nonce=1&x={secret}".encode(), nonce="1"))
    wire.read(wire.send("Balance", b"nonce=9", nonce="9", key=secret[:56]))
    written = log.written.getvalue()
    assert any("RuntimeError" in str(said.get("traceback")) for said in log.lines())
    assert not [part for part in (secret, secret[:24], secret[30:54], secret[-24:], "1.25 BTC") if part in written]
