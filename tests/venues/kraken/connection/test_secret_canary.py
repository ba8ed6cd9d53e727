"""SE-4: the secret of an exchange's key goes through everything that happens to it, and is found nowhere but sealed."""

import base64
import logging
import sys
from datetime import timedelta
from html import unescape

import pytest
from django.core.signals import got_request_exception
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from django.views.debug import ExceptionReporter

from policies.changes import cancel_and_expire
from policies.models import ChangeRequest
from portal.core.secrets.sealing import unseal
from portal.jobs import mail
from portal.venues.kraken import calling, inspection
from portal.venues.kraken.connection import asking, trial
from portal.venues.kraken.connection.views import changes as views
from portal.venues.kraken.credentials.finding import opened
from portal.venues.kraken.models import Alarm, Credential, Purpose
from portal.venues.kraken.upstream import transport
from tests.accounts.api_keys.test_secret_canary import everything_stored
from tests.factories import people
from tests.venues.kraken.connection import exchange as of_tests
from tests.venues.kraken.connection.exchange import REST, WITHDRAW, info

pytestmark = pytest.mark.django_db
SEED = b"canary of sixty-four bytes, which only the exchange may ever see"
SECRET = base64.b64encode(SEED).decode()
FORMS = (SECRET, SECRET[:20], SECRET[20:40], SECRET[-24:], SEED.hex(), SEED.decode(), base64.b32encode(SEED).decode())
TYPED = {
    "exchange": "Test", "name": "Real", "tier": "pro", "note": "", "rest_public": REST, "rest_secret": SECRET,
    "withdraw_public": WITHDRAW, "withdraw_secret": SECRET,
}  # fmt: skip


@pytest.fixture
def canary(monkeypatch):
    """Every key of the tests' exchange has this private half."""
    assert len(SEED) == 64
    monkeypatch.setattr(of_tests, "secret_of", lambda public: SECRET)


def found_in(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def test_a_canary_is_found_nowhere(canary, client, owner, ana, ben, sign_in, keys, caplog, mailoutbox):
    """SE-4: canary value through every flow, then search logs, mail, database dump."""
    caplog.set_level(logging.DEBUG)
    keys.info |= {"MORE": info("query-funds"), "NEXT": info("withdraw-funds")}
    sign_in(client, ana)
    spoiled = ({"name": ""}, {"rest_public": "NOBODY"}, {"rest_secret": SECRET + "x"}, {"rest_secret": SECRET * 9},
                    {"withdraw_public": ""}, {"exchange": "Other"}, {"rest_public": "MORE", "withdraw_public": "MORE"},
                    {"tier": SECRET[:5]})  # fmt: skip
    pages = [client.post("/accounts/connect/", {**TYPED, **each}) for each in spoiled]
    # What fails at the exchange, and is asked again.
    keys.errors["", "GetApiKeyInfo"] = ["EGeneral:Temporary lockout"]
    pages.append(client.post("/accounts/connect/", TYPED))
    keys.errors.clear()
    pages.append(client.post("/accounts/connect/", TYPED, follow=True))
    asked = ChangeRequest.objects.get(operation="kraken.connect")
    page = reverse("policies:request", args=[asked.reference])
    approver = Client()
    sign_in(approver, ben)
    pages += [approver.get(page), approver.get("/inbox/")]
    stored = everything_stored()
    sealed = {unseal(row.sealed_secret, place=row.place).decode() for row in Credential.objects.all()}
    assert sealed == {SECRET}
    approver.post(
        reverse("policies:decide", args=[asked.reference]),
        {"decision": "approve", "digest": asked.digest, "code": people.code(ben)},
    )
    asked.refresh_from_db()
    assert asked.state == "executed"
    sign_in(client, owner)
    account = reverse("kraken:account", args=[Credential.objects.filter(activated_at__isnull=False)[0].account_id])
    pages += [client.get(account), client.get("/accounts/"), client.get("/history/")]
    more = {"purpose": "rest", "label": "", "public": "MORE", "secret": SECRET, "note": ""}
    pages.append(client.post(f"{account}credentials/new/", {**more, "public": "NOBODY"}))
    pages.append(client.post(f"{account}credentials/new/", more, follow=True))
    old = Credential.objects.get(purpose=Purpose.WITHDRAW, removed_at=None)
    replacing = f"{account}credentials/{old.pk}/replace/"
    pages.append(client.post(replacing, {"public": "NOBODY", "secret": SECRET}))
    pages.append(client.post(replacing, {"public": "NEXT", "secret": SECRET}, follow=True))
    row = Credential.objects.get(public=REST)
    keys.errors["", "GetApiKeyInfo"] = ["EAPI:Invalid signature"]
    with pytest.raises(inspection.NotTold):
        inspection.look_again(row.pk)
    assert Alarm.objects.filter(subject=REST).exists()
    pages.append(client.post(f"{account}credentials/{row.pk}/try-again/", follow=True))
    stored += everything_stored()
    pages.append(client.post(f"{account}disconnect/", {}, follow=True))
    pages += [client.get("/history/"), client.get("/alarms/"), client.get(page)]
    mail.settle()

    assert REST in stored
    assert found_in(stored + everything_stored()) == []
    texts = [unescape(each.content.decode()) + str(each.headers) for each in pages]
    assert all(each.status_code == 200 for each in pages)
    assert found_in("".join(texts) + "".join("".join(strip_tags(text).split()) for text in texts)) == []
    assert found_in("".join(message.subject + message.body for message in mailoutbox)) == []
    assert found_in(caplog.text) == []
    assert found_in(str(client.cookies)) == []
    # It is the exchange that gets a signature made with it, and nothing that it could be read from.
    assert found_in("".join(map(str, keys.exchange.asked)) + "".join(map(str, keys.exchange.bodies))) == []


PLACES = {
    "in the page": (views, "render"),
    "in the trial": (trial, "ask"),
    "in asking": (asking, "propose"),
    "on the wire": (transport, "_pool"),
    "in the signature": (calling, "compute"),
}


@pytest.mark.parametrize(("module", "name"), PLACES.values(), ids=PLACES)
def test_an_error_on_the_way_tells_no_secret(canary, client, owner, sign_in, keys, monkeypatch, settings, module, name):
    """SE-4: exceptions and error mails, by `sensitive_variables` and `sensitive_post_parameters`."""
    settings.DEBUG = False
    sign_in(client, owner)
    reports: list[str] = []

    def report(request, **_):
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_text())

    def broken(*arguments, **named):
        raise RuntimeError("something is broken")

    monkeypatch.setattr(module, name, broken)
    strict = Client(raise_request_exception=False)
    strict.cookies = client.cookies
    got_request_exception.connect(report)
    try:
        answer = strict.post("/accounts/connect/", {**TYPED, "name": ""} if name == "render" else TYPED)
    finally:
        got_request_exception.disconnect(report)
    assert answer.status_code == 500
    assert "something is broken" in reports[0]
    assert found_in(answer.content.decode() + "".join(reports)) == []
    assert not Credential.objects.exists()


def test_what_holds_it_does_not_show_it(canary, keys, owner, new_connection):
    asked = new_connection(credentials=[of_tests.typed(Purpose.REST, REST)])
    assert asked.credentials[0].secret == SECRET
    asking.ask_to_connect(owner, asked)
    usable = opened(Credential.objects.get(public=REST))
    (tried,) = trial.try_all(asking._listed("Test"), asked.credentials)
    assert found_in(repr(asked) + repr(asked.credentials) + repr(usable) + repr(tried)) == []


def test_nothing_is_left_once_nobody_decided_in_time(canary, client, ana, sign_in, keys, time_machine):
    sign_in(client, ana)
    client.post("/accounts/connect/", TYPED)
    change = ChangeRequest.objects.get(operation="kraken.connect")
    time_machine.move_to(change.expires_at + timedelta(minutes=1))
    cancel_and_expire.expire_due()
    change.refresh_from_db()
    assert change.state == "expired"
    assert set(Credential.objects.values_list("sealed_secret", flat=True)) == {""}
