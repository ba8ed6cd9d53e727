"""The number on an error page, in the log and in the history is one (fault operations-F14, F15)."""

import json
import logging
import re
from io import StringIO
from logging.config import dictConfig

import pytest
from django.conf import settings as real
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from portal.audit.models import AuditEvent
from portal.core import call_origin
from portal.core.secrets.log_redaction import REDACTED, redacted
from tests.api.calls import Wire

NUMBER = re.compile(r"\[([0-9a-f]{32}|-)\]")


@pytest.fixture
def log():
    """What the settings' own handler writes, from root and from Django's logger alike."""
    written = StringIO()
    loggers = [logging.getLogger(), logging.getLogger("django")]
    before = [(each, each.handlers[:], each.level) for each in loggers]
    configured = json.loads(json.dumps(real.LOGGING))
    configured["handlers"]["console"]["stream"] = written
    dictConfig({**configured, "incremental": False})
    for handler in before[0][1]:
        logging.getLogger().addHandler(handler)
    logging.getLogger().handlers[0].setStream(written)  # type: ignore[attr-defined]
    yield written
    for each, handlers, level in before:
        each.handlers[:], each.level = handlers, level


@pytest.fixture
def strict():
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def number_on(response) -> str:
    number: str = re.findall(r"<code>([0-9a-f]{32})</code>", response.content.decode())[0]
    assert response.headers["X-Request-Id"] == number
    return number


def lines_of(log, number):
    return [line for line in log.getvalue().splitlines() if f"[{number}]" in line]


@pytest.mark.urls("tests.dashboard.broken_urls")
def test_a_fault_is_found_by_the_number_on_its_page(strict, db, log):
    """fault operations-F14: the number was in no line of any log."""
    response = strict.get("/broken/")
    assert response.status_code == 500
    (line,) = lines_of(log, number_on(response))
    assert "Internal Server Error: /broken/" in line
    assert "the words of the fault" in log.getvalue()
    assert log.getvalue().count("Traceback") == 1


def test_a_refusal_is_one_line_with_the_number_on_its_page_and_no_traceback(strict, client, ana, sign_in, log):
    """fault operations-F14, fault operations-F15: every plain 403 and 400 printed a whole traceback, twice."""
    sign_in(client, ana)
    ana.grants.all().delete()
    pages = [client.get("/nowhere/"), client.get(reverse("accounts:members")), strict.post(reverse("accounts:sign_in"))]
    assert [page.status_code for page in pages] == [404, 403, 403]
    for page in pages:
        (line,) = lines_of(log, number_on(page))
        assert " WARNING django." in line
    client.get("/sign-in/", headers={"host": "10.1.2.3"})
    assert "Invalid HTTP_HOST header" in log.getvalue()
    assert "Traceback" not in log.getvalue()
    assert len(log.getvalue().splitlines()) <= 5


def test_a_refused_call_is_found_in_log_and_history_by_the_number_of_its_answer(treasury_bot, log):
    """fault operations-F14: a refused call left no line, and its event had a number that nobody else knew."""
    wire = Wire(treasury_bot)
    answer = wire.send("Balance", b"nonce=1", nonce="1", signature="AAAA")
    assert answer.json() == {"error": ["EAPI:Invalid signature"]}
    number = answer.headers["X-Request-Id"]
    (line,) = lines_of(log, number)
    assert "EAPI:Invalid signature" in line
    assert treasury_bot.public not in line
    assert AuditEvent.objects.order_by("-pk")[0].request_id == number
    assert wire.send("Balance", b"nonce=1", nonce="1", signature="AAAA").headers["X-Request-Id"] != number


def test_outside_of_a_call_there_is_no_number(log):
    logging.getLogger("portal.jobs").warning("Beside all calls")
    assert NUMBER.findall(log.getvalue()) == ["-"]
    with call_origin.origin(source="") as outer, call_origin.origin(source="", via="key K") as inner:
        assert inner.request_id == outer.request_id


@pytest.mark.parametrize("debug", [False, True])
def test_a_database_that_is_away_is_said_without_a_traceback(client, ana, sign_in, settings, log, debug):
    """fault operations-F2, fault operations-F15: some lines a call, for as long as it was away."""

    def gone(*_args):
        raise OperationalError("could not connect to server\nIs it running?")

    sign_in(client, ana)
    client.raise_request_exception = False
    settings.DEBUG = debug
    with connection.execute_wrapper(gone):
        page = client.get("/inbox/")
    assert page.status_code == 503
    lines = lines_of(log, number_on(page))
    assert 1 <= len(lines) <= 4
    assert len(log.getvalue().splitlines()) == len(lines)
    assert "OperationalError: could not connect to server" in log.getvalue()


def test_the_token_of_a_mailed_link_is_in_no_line():
    token = "ABCDEFGH23456789ABCDEFGH23456789"
    assert redacted(f"Method Not Allowed (PUT): /invitations/{token}/") == (
        f"Method Not Allowed (PUT): /invitations/{REDACTED}/"
    )


@pytest.mark.parametrize(
    "around",
    ["{}", '{{"token": "{}"}}', "/v2?token={}", "/v2?q=%22{}%22", "{{'params': {{'token': '{}'}}}}", "'x\\n{}'",
     "Unexpected error: {}.", "token={}, again"],
)  # fmt: skip
@pytest.mark.parametrize(
    "token", ["-" + "Ab_9" * 10 + "-_", "_" + "a" * 42, "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw"]
)
def test_the_token_of_a_socket_is_in_no_line(around, token):
    assert redacted(around.format(token)) == around.format(REDACTED)


def test_what_is_as_long_as_no_secret_stays():
    """The public half of a key, a digest and a request's number are there to be found again."""
    for text in ("K" * 56, "0af3" * 16, "0af3" * 8, "a-word " * 20, "x" * 42, "x" * 44):
        assert redacted(text) == text


def test_a_form_passes_where_the_proxy_leaves_the_port_out(db):
    """fault operations-F15: behind `$host` on another port than 443 every form was said to be open too long."""
    assert real.CSRF_TRUSTED_ORIGINS == [real.BASE_URL]
    client = Client(enforce_csrf_checks=True)
    page = client.get(reverse("accounts:sign_in"), headers={"host": "localhost"})
    (token,) = re.findall(r'<meta name="csrf-token" content="([^"]+)">', page.content.decode())
    fields = {"email": "nobody@demo.test", "password": "x", "csrfmiddlewaretoken": token}
    for origin, status in ((real.BASE_URL, 200), ("http://localhost:1", 403)):
        answer = client.post(reverse("accounts:sign_in"), fields, headers={"host": "localhost", "origin": origin})
        assert answer.status_code == status, origin
