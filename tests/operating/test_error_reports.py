"""What a receiver of errors gets, decoded: what finds the fault, and nothing of who it happened to."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django_tasks import task

from portal.jobs import worker
from portal.operating import error_reports
from tests.api.calls import Wire
from tests.operating.receivers import black_hole, receiving
from tests.serving import ROOT, surroundings

pytestmark = pytest.mark.django_db
PUBLIC = "0123456789abcdef0123456789abcdef"
AMOUNT, MAIL = "1.25 BTC", "somebody@mail.example.test"


# A command that breaks, whatever it is called with.
BROKEN = """
import sys
from django.core.management.commands import check
from portal.command_line import main
check.Command.handle = lambda *args, **options: 1 // 0
sys.argv = ["manage.py", "check"]
main()
"""


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def report():
    """Have errors reported to that address from here on; what it gives sends what waits."""
    begun = []

    def begin(url: str):
        sender = error_reports.client(url.replace("://", f"://{PUBLIC}@") + "/7", release="1.2.3")
        handler = error_reports.ReportingHandler(sender)
        logging.getLogger().addHandler(handler)
        begun.append((sender, handler))
        return lambda: sender.flush(timeout=10)

    yield begin
    for sender, handler in begun:
        logging.getLogger().removeHandler(handler)
        sender.close(timeout=0)


def events(posts) -> list[Any]:
    """The event of each envelope."""
    found = []
    for path, headers, body in posts:
        assert path == "/api/7/envelope/"
        assert f"sentry_key={PUBLIC}" in headers["x-sentry-auth"]
        _, about, payload = body.split(b"\n")[:3]
        assert json.loads(about)["type"] == "event"
        found.append(json.loads(payload))
    return found


def error_of(event) -> tuple[str, str]:
    last = event["exception"]["values"][-1]
    return last["type"], last["value"]


@pytest.mark.urls("tests.dashboard.broken_urls")
def test_a_page_that_breaks_is_reported_once_and_found_by_its_number(report, receiver, client, ana, sign_in):
    sign_in(client, ana)
    send = report(receiver.url)
    client.raise_request_exception = False
    answer = client.get("/broken/?q=typed", headers={"user-agent": "A browser of theirs"})
    send()
    (event,) = events(receiver.posts)
    assert error_of(event) == ("RuntimeError", "the words of the fault")
    assert event["release"] == "1.2.3"
    assert event["transaction"] == "tests.dashboard.broken_urls.broken"
    tags = event["tags"]
    assert tags["request_id"] == answer.headers["X-Request-Id"]
    assert (tags["actor"], tags["verb"], tags["status"]) == ("person", "GET", "500")
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert (frames[-1]["function"], frames[-1]["context_line"].strip()) == (
        "broken", 'raise RuntimeError("the words of the fault")',
    )  # fmt: skip
    assert not any("vars" in frame for frame in frames)
    assert not event.keys() & {"request", "user", "breadcrumbs", "modules"}
    written = receiver.posts[0][2].decode()
    known = ("typed", "A browser of theirs", client.cookies["session"].value, ana.user.email, ana.user.name)
    assert [part for part in known if part in written] == []


def test_a_canary_is_in_no_report(report, receiver, treasury_bot, monkeypatch):
    """SE-4: a secret, an amount and a mail address in an error, in its cause, in variables, and in what was sent."""
    send, secret = report(receiver.url), treasury_bot.secret

    def broken(_: object) -> None:
        held = {"secret": secret, "amount": AMOUNT}
        try:
            raise ValueError(f"nonce=1&secret={held}")
        except ValueError as error:
            raise RuntimeError(f"{held} of {MAIL}") from error

    monkeypatch.setattr("portal.api.gateway.permissions.held_by", broken)
    Wire(treasury_bot).error("WithdrawStatus", secret=secret)
    error = OSError(f"at {MAIL}")
    logging.getLogger("portal.tests").error("Of %s: %s", secret, AMOUNT, exc_info=error, extra={"x": secret})
    send()
    first, second = events(receiver.posts)
    assert (first["tags"]["actor"], first["tags"]["method"]) == ("bot", "WithdrawStatus")
    assert [each["type"] for each in first["exception"]["values"]] == ["ValueError", "RuntimeError"]
    assert second["logentry"]["message"] == "Of [redacted]: [redacted] BTC"
    written = b"".join(body for _, _, body in receiver.posts).decode()
    parts = (secret, secret[:24], secret[30:54], secret[-24:], AMOUNT, MAIL, treasury_bot.public)
    assert [part for part in parts if part in written] == []


def test_what_is_nobodys_fault_is_not_reported(report, receiver, client, ana, sign_in, treasury_bot):
    def gone(*_args):
        raise OperationalError("could not connect to server")

    sign_in(client, ana)
    send = report(receiver.url)
    client.raise_request_exception = False
    client.get("/nowhere/")
    Wire(treasury_bot).error("MakeUpAName")
    with connection.execute_wrapper(gone):
        client.get("/inbox/")
    logging.getLogger("portal.tests").error("Said, with no error")
    send()
    assert receiver.posts == []


@task()
def fail() -> None:
    raise RuntimeError("a queued task")


def test_a_task_and_a_thread_are_reported(report, receiver):
    send = report(receiver.url)
    fail.enqueue()
    worker.run_ready()
    send()
    found = [event for event in events(receiver.posts) if error_of(event)[0] == "RuntimeError"]
    assert {(event["tags"]["actor"], event["transaction"]) for event in found} == {("system", f"{__name__}.fail")}


def test_a_receiver_that_never_answers_slows_nothing(report, client, caplog):
    """More than wait in line are reported while it stands still; that some are dropped is said, and said once."""
    with black_hole() as url:
        report(url)
        logger = logging.getLogger("portal.tests")
        for _ in range(error_reports.QUEUE * 3):
            logger.error("Broken", exc_info=RuntimeError("again"))
        assert client.get("/healthz").status_code == 200
    said = [each.getMessage() for each in caplog.records if each.name == error_reports.__name__]
    assert said == ["Reports of errors are not taken by their receiver; they are dropped meanwhile"]


def test_a_report_that_cannot_be_made_fails_nothing(report, receiver, monkeypatch):
    report(receiver.url)
    monkeypatch.setattr(error_reports, "event_from_exception", lambda *_, **__: 1 // 0)
    logging.getLogger("portal.tests").error("Broken", exc_info=RuntimeError("again"))


@pytest.mark.parametrize("dsn", ["somewhere", "https://receiver.example.test/7", "https://key@receiver.example.test/"])
def test_what_is_no_dsn_is_refused(dsn):
    with pytest.raises(ValueError, match="PORTAL_ERRORS_DSN"):
        error_reports.client(dsn, release="1.2.3")


@pytest.mark.slow
def test_what_ends_a_command_is_its_last_word(receiver, tmp_path: Path):
    """The report has left before the process has."""
    variables = surroundings() | {
        "PORTAL_DEBUG": "1",
        "PORTAL_VAR": str(tmp_path),
        "PORTAL_ERRORS_DSN": receiver.url.replace("://", f"://{PUBLIC}@") + "/7",
    }
    command = [sys.executable, "-c", BROKEN]
    ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, timeout=120, check=False)
    assert ended.returncode == 1
    (event,) = events(receiver.posts)
    assert (event["level"], event["tags"]["actor"], event["transaction"]) == ("fatal", "operator", "check")
    assert error_of(event) == ("ZeroDivisionError", "integer division or modulo by zero")
