"""SE-4: a secret that is known beforehand goes through everything that happens to a key, and is found nowhere."""

import base64
import io
import logging
import sys
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags
from django.views.debug import ExceptionReporter

from accounts.api_keys import lifecycle, usage
from accounts.api_keys.expiry_mail import announce_due
from accounts.authentication.session_store import SessionStore
from accounts.models import ApiKey, Session
from accounts.views.api_keys import keys as views
from portal.api.limits import lockout, refusal_events
from portal.core.secrets.log_redaction import RedactingFilter, redacted
from portal.jobs import mail
from tests.api.calls import Wire
from tests.factories.world import Bot

pytestmark = pytest.mark.django_db
SEED = b"canary of sixty-four bytes, which nobody may ever read in a log!"
SECRET = base64.b64encode(SEED).decode()
# However it may have been written down: as it is, as bytes in hexadecimal, or only its beginning or its end.
FORMS = (SECRET, SECRET[:20], SECRET[20:40], SECRET[-24:], SEED.hex(), SEED.decode(), base64.b32encode(SEED).decode())


@pytest.fixture
def canary(monkeypatch):
    assert len(SEED) == lifecycle.SECRET_BYTES
    monkeypatch.setattr("accounts.api_keys.lifecycle.secrets.token_bytes", lambda size: SEED[:size])


def found_in(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def everything_stored() -> str:
    """Every value of every row of every table, the history, the sessions and the queue among them."""
    dump = io.StringIO()
    for model in apps.get_models():
        for row in model._meta.base_manager.values_list():
            dump.write(f"{row}\n")
    call_command("dumpdata", stdout=dump, verbosity=0)
    for session in Session.objects.all():
        dump.write(str(SessionStore().decode(session.session_data)))
    return dump.getvalue()


def test_a_canary_is_found_nowhere(canary, client, owner, sign_in, new_bot, caplog, mailoutbox, settings):
    """SE-4, AP-1: canary value through every flow, then search logs, mail, database dump."""
    caplog.set_level(logging.DEBUG)
    settings.API_CALLS_MAXIMUM = 10_000.0
    lockout.forget_all()
    refusal_events.forget_all()
    sign_in(client, owner)
    page = "/service-users/payroll-bot/"
    client.post("/service-users/new/", {**new_bot, "ip_allow_list": "127.0.0.1"})
    key = ApiKey.objects.get(service_user__name="payroll-bot")
    reveal = f"{page}keys/{key.public}/reveal/"
    pages = [client.get(page), client.get(reveal), client.head(reveal)]
    shown = client.post(reveal)
    assert SECRET in "".join(strip_tags(shown.content.decode()).split())
    wire = Wire(Bot(key.service_user, key, key.public, SECRET))
    wire.result("Balance")
    wire.error("Ledgers")
    wire.read(wire.send("Balance", f"nonce=1&secret={SECRET}".encode(), nonce="1", signature=SECRET))
    wire.read(wire.send("Balance", b"nonce=9", nonce="9", key=SECRET[:56]))
    usage.flush()
    for path, form in (
        ("rotate", {"overlap_days": "1", "expires_at": "2099-01-31T12:00"}),
        ("suspend", {}),
        ("lift", {}),
        (f"keys/{key.public}/reveal", {}),
        (f"keys/{key.public}/revoke", {}),
    ):
        pages.append(client.post(f"{page}{path}/", form, follow=True))
    pages += [
        client.get(page),
        client.get("/history/"),
        client.get("/service-users.csv"),
        client.get("/service-users/"),
    ]
    pages.append(client.get(f"{page}keys/1/refused/"))
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(hours=3))
    announce_due()
    stored = everything_stored()
    mail.settle()

    assert key.public in stored
    assert found_in(stored + everything_stored()) == []
    assert found_in("".join("".join(strip_tags(each.content.decode()).split()) for each in pages)) == []
    assert found_in("".join(each.content.decode() + str(each.headers) for each in pages)) == []
    assert mailoutbox
    assert found_in("".join(message.subject + message.body for message in mailoutbox)) == []
    assert found_in(caplog.text) == []
    assert found_in(str(client.cookies)) == []


def test_an_error_while_revealing_tells_no_secret(canary, client, owner, sign_in, new_bot, monkeypatch, rf, settings):
    """SE-4: exceptions and error mails, by `sensitive_variables`."""
    settings.DEBUG = False
    sign_in(client, owner)
    client.post("/service-users/new/", new_bot)
    key = ApiKey.objects.get(service_user__name="payroll-bot")
    reports: list[str] = []

    def broken(request, *_):
        try:
            raise RuntimeError("the template is broken")
        except RuntimeError:
            reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_text())
            raise

    monkeypatch.setattr(views, "render", broken)
    strict = Client(raise_request_exception=False)
    strict.cookies = client.cookies
    assert strict.post(f"/service-users/payroll-bot/keys/{key.public}/reveal/").status_code == 500
    revealed = lifecycle.Revealed(public=key.public, secret=SECRET)
    assert found_in(repr(revealed) + str(revealed)) == []
    assert reports
    assert found_in(reports[0]) == []


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        "k1.AAAAAAAAAAAAAAAA." + "b" * 60,
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=y",
    ],
)
def test_the_log_writes_no_secret(secret, caplog):
    """SE-4: a redacting filter, for messages, their parts and tracebacks."""
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "It was %s.", (secret,), None)
    try:
        raise ValueError(secret)
    except ValueError:
        record.exc_info = sys.exc_info()
    assert RedactingFilter().filter(record)
    text = logging.Formatter().format(record)
    assert "[redacted]" in text
    assert "JBSWY3DP" not in text
    assert secret not in text


@pytest.mark.parametrize("text", ["GET /0/private/Balance", "a" * 64, "2026-01-01 12:00", "Kx4v…7Q2F"])
def test_what_is_no_secret_stays_readable(text):
    assert redacted(text) == text


def test_the_log_of_this_installation_is_redacted(settings):
    assert all("redacting" in handler["filters"] for handler in settings.LOGGING["handlers"].values())
