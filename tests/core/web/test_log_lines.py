"""Lines of the log: one a record whatever somebody sent, and nothing in any part of it that nobody may read."""

import json
import logging
import sys
from time import process_time

import pytest

from portal.core import call_origin
from portal.core.secrets.log_redaction import REDACTED, RedactingFilter, redacted
from portal.core.web.log_context import RequestFilter
from portal.core.web.log_lines import LONGEST, JsonLine, TextLine

SECRET = "c2VjcmV0" * 10 + "c2VjcmV=" + "="
SECRET = SECRET.replace("=", "A")[:86] + "=="
MAIL, TOKEN = "somebody@mail.example.test", "-" + "Ab_9" * 10 + "-_"
FORGED = "Not found\n2026-01-01 00:00:00,000 CRITICAL portal [-]: All is lost\r\x85\u2028{}"
NAMES = {"time", "level", "logger", "message", "request_id", "actor", "process"}


@pytest.fixture(autouse=True)
def _nothing_is_being_done():
    call_origin.begins("")


def record_of(message: str, *args: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    """As it stands after the filters of the settings."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger("portal.tests").makeRecord(
        "portal.tests", logging.ERROR, "x.py", 1, message, args, exc_info, extra=extra, sinfo=f"Stack: {SECRET}"
    )
    assert RequestFilter().filter(record)
    assert RedactingFilter().filter(record)
    return record


def raised(message: str) -> BaseException:
    try:
        try:
            raise ValueError(message)
        except ValueError as cause:
            raise RuntimeError(f"because of it: {message}") from cause
    except RuntimeError:
        error = sys.exc_info()[1]
        assert error is not None
        return error


@pytest.mark.parametrize("line", [TextLine(), JsonLine()], ids=["text", "json"])
@pytest.mark.parametrize("secret", [SECRET, MAIL, TOKEN, "k1.AAAAAAAAAAAAAAAA." + "b" * 60, "12.5 BTC"])
def test_a_secret_is_in_no_part_of_a_line(line, secret):
    """SE-4: the message, what it is made of, what is given beside it, tracebacks with their causes, and the stack."""
    record = record_of(f"Not {secret}: %s", secret, error=raised(secret), status_code=500, note=secret, doing=secret)
    record.doing = redacted(secret)
    written = line.format(record)
    assert secret.removesuffix(" BTC") not in written
    assert REDACTED in written
    assert secret not in str(record.__dict__["note"])


def test_a_row_that_a_database_refused_is_not_written():
    said = 'null value in column "held"\nDETAIL:  Failing row contains (1, 12345, ana).\nCONTEXT: none'
    assert redacted(said) == f'null value in column "held"\nDETAIL:  {REDACTED}\nCONTEXT: none'
    assert redacted("NotEnough: Decimal('1.50')") == f"NotEnough: Decimal('{REDACTED}')"
    assert redacted("postgres://portal:pass@host/portal") == f"postgres://{REDACTED}@host/portal"


@pytest.mark.parametrize("begins_like", ["é", "1,", "a@", "1.", "a.", "://", "DETAIL: "])
def test_what_never_becomes_what_it_looks_like_is_gone_through_once(begins_like):
    """Whoever has it written to the log must not have a core for a minute: 30 times as much takes 30 times as long."""

    def took(times: int) -> float:
        began = process_time()
        assert redacted(begins_like * times)
        return process_time() - began

    # Gone through from each letter again it would take 900 times as long.
    assert took(90_000) < 200 * max(min(took(3_000) for _ in range(3)), 0.0001)


@pytest.mark.parametrize(
    "text",
    ["2026-01-01 12:00 UTC", "from 10.1.2.3, 17 tries", "release 0.1.0", '"POST /x" 200 OK', "code 40001", "3 GET"],
)
def test_what_tells_no_amount_stays(text):
    assert redacted(text) == text


def test_a_newline_in_what_somebody_sent_begins_no_line():
    record = record_of("Refused %s", FORGED, error=raised(FORGED))
    text = TextLine().format(record)
    first, *below = text.splitlines()
    assert first.endswith("{}")
    assert "\\n2026-01-01" in first
    assert all(each.startswith("  ") for each in below)
    (only,) = JsonLine().format(record).splitlines()
    said = json.loads(only)
    assert said["message"] == f"Refused {FORGED}"
    assert "RuntimeError: because of it" in said["traceback"]
    assert only.isascii()


def test_a_line_has_the_same_names_and_says_when_as_computers_do():
    record = record_of("Said")
    record.created = 1_800_000_000.1239
    said = json.loads(JsonLine().format(record))
    assert said.keys() == NAMES | {"traceback"}
    assert said["time"] == "2027-01-15T08:00:00.123Z"
    assert (said["level"], said["logger"], said["actor"], said["request_id"]) == (
        "error",
        "portal.tests",
        "system",
        "-",
    )


@pytest.mark.parametrize(
    ("actor", "doing", "told"),
    [
        ("person", "POST accounts:members", {"verb": "POST", "route": "accounts:members"}),
        ("person", "GET", {"verb": "GET"}),
        ("bot", "/0/private/Withdraw", {"method": "Withdraw"}),
        ("bot", "add_order", {"method": "add_order"}),
        ("operator", "verifyaudit", {"command": "verifyaudit"}),
        ("system", "portal.tasks.expire", {"task": "portal.tasks.expire"}),
    ],
)
def test_what_was_done_goes_by_the_name_of_who_does_it(actor, doing, told):
    with call_origin.origin(source="", actor=actor, doing=lambda: doing) as origin:
        said = json.loads(JsonLine().format(record_of("Said")))
    assert said["actor"] == actor
    assert said["request_id"] == origin.request_id
    assert {name: said[name] for name in said.keys() - NAMES - {"traceback"}} == told


def test_a_call_within_a_call_is_still_of_the_same_and_a_task_is_named_until_the_next():
    call_origin.begins("portal.tasks.expire")
    assert call_origin.doing() == "portal.tasks.expire"
    with call_origin.origin(source="", actor="bot", doing="Withdraw"), call_origin.origin(source="", via="key K") as it:
        assert (it.actor, call_origin.doing()) == ("bot", "Withdraw")
    call_origin.begins("")
    assert call_origin.doing() == ""


def test_a_command_is_the_operators(monkeypatch):
    monkeypatch.setattr(call_origin, "_outside", [call_origin.Origin("")])
    call_origin.outside(actor=call_origin.OPERATOR, doing="verifyaudit")
    with call_origin.origin(source="", via="verifyaudit") as it:
        assert (it.actor, call_origin.doing()) == ("operator", "verifyaudit")


def test_a_line_is_no_longer_than_a_journal_keeps_in_one_piece():
    record = record_of("é" * 100_000, error=raised("The end."))
    record.exc_text = "é" * 500_000 + (record.exc_text or "")
    line = JsonLine().format(record)
    assert len(line) <= LONGEST
    assert json.loads(line)["traceback"].endswith("Stack: [redacted]")


def test_what_a_server_says_before_the_portal_is_there_is_such_a_line_too():
    record = logging.getLogger("_granian").makeRecord("_granian", logging.INFO, "", 0, "Starting %s", ("it",), None)
    said = json.loads(JsonLine().format(record))
    assert (said["message"], said["actor"], said["request_id"]) == ("Starting it", "system", "-")
