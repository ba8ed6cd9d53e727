"""The pages: connecting, an Account with its credentials, trying again, replacing, removing, disconnecting."""

from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.models import ChangeRequest, Grant
from portal.audit.models import AuditEvent
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.connection.asking import ask_to_connect
from portal.venues.kraken.connection.forms import BOTH_HALVES
from portal.venues.kraken.models import Connection, Credential, Purpose, Tier
from tests import ports
from tests.venues.kraken.connection.exchange import REST, WITHDRAW, info, secret_of

pytestmark = pytest.mark.django_db
CONNECT = "/accounts/connect/"
TYPED = {
    "exchange": "Test", "name": "Real", "tier": "pro", "note": "",
    "rest_public": REST, "rest_secret": secret_of(REST),
    "withdraw_public": WITHDRAW, "withdraw_secret": secret_of(WITHDRAW),
}  # fmt: skip
NEW = "NEW-PUBLIC-HALF"


@pytest.fixture
def real(owner, new_connection, keys) -> Connection:
    ask_to_connect(owner, new_connection())
    keys.info[NEW] = info("withdraw-funds", "query-funds")
    return Connection.objects.select_related("account").get(account__name="Real")


def of(connection, purpose=Purpose.WITHDRAW) -> Credential:
    return Credential.objects.get(account=connection.account, purpose=purpose, removed_at=None)


def way(name, connection, *rest) -> str:
    return reverse(f"kraken:{name}", args=[connection.account_id, *rest])


def pages(connection) -> list[str]:
    withdrawing = of(connection).pk
    return [
        CONNECT,
        way("disconnect", connection),
        way("add_credential", connection),
        way("replace_credential", connection, withdrawing),
        way("remove_credential", connection, withdrawing),
    ]


def test_who_holds_execute_connects_at_once(client, owner, sign_in, keys):
    sign_in(client, owner)
    assert "Try keys and connect" in client.get(CONNECT).content.decode()
    answer = client.post(CONNECT, TYPED)
    made = Account.objects.get(name="Real")
    assert answer.url == f"/accounts/{made.pk}/"
    text = client.get(answer.url).content.decode()
    assert "At Test since" in text
    assert Tier.PRO.label in text
    assert "Create and modify orders" in text
    assert "127.0.0.1" in text
    assert "WITH…HALF" in text
    assert WITHDRAW not in text
    assert secret_of(WITHDRAW) not in text


def test_who_may_only_ask_is_led_to_the_request(client, ana, sign_in, keys):
    sign_in(client, ana)
    answer = client.post(CONNECT, TYPED)
    change = ChangeRequest.objects.get(operation="kraken.connect")
    assert answer.url == f"/requests/{change.reference}/"
    text = client.get(answer.url).content.decode()
    assert "asks to connect" in text
    assert secret_of(REST) not in text
    assert "Create and modify orders" in text


def test_without_a_withdrawing_key_the_page_says_that_it_cannot_withdraw(client, owner, sign_in, keys):
    sign_in(client, owner)
    page = client.post(CONNECT, {**TYPED, "withdraw_public": "", "withdraw_secret": ""}, follow=True).content.decode()
    assert "This Account cannot withdraw." in page


WRONG = {
    "no exchange": ({"exchange": "Elsewhere"}, "Select a valid choice"),
    "no name": ({"name": ""}, "This field is required"),
    "a name that is taken": ({"name": "main"}, "There is an Account named main already"),
    "a name of invisible letters": ({"name": "\u202eniaM"}, "Remove the invisible characters"),
    "no level": ({"tier": "unlimited"}, "Select a valid choice"),
    "no rest key": ({"rest_public": "", "rest_secret": ""}, "This field is required"),
    "half a withdrawing key": ({"withdraw_secret": ""}, BOTH_HALVES),
    "the other half": ({"withdraw_public": ""}, BOTH_HALVES),
    "a public half with spaces": ({"rest_public": "no key at all"}, "This is no API key"),
    "a public half without end": ({"rest_public": "x" * 5000}, "This is no API key"),
    "a secret without end": ({"rest_secret": "x" * 5000}, "too long"),
    "a secret that is none": ({"rest_secret": "not base64!"}, refusals.NO_PRIVATE_HALF),
    "the wrong secret": ({"rest_secret": secret_of(WITHDRAW)}, refusals.WRONG_PRIVATE_HALF),
    "an unknown key": ({"rest_public": "NOBODY-KNOWS-IT"}, refusals.UNKNOWN_KEY),
    "the same key twice": ({"withdraw_public": REST, "withdraw_secret": secret_of(REST)}, refusals.MAY_NOT_WITHDRAW),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_and_nothing_but_the_secrets_is_lost(client, owner, sign_in, keys, given, said):
    sign_in(client, owner)
    posted = {**TYPED, **given}
    text = client.post(CONNECT, {**posted, "note": "For the treasury"}).content.decode()
    assert said in unescape(text)
    assert "aria-invalid" in text
    for secret in (posted["rest_secret"], posted["withdraw_secret"]):
        assert not secret or secret not in unescape(text)
    assert "For the treasury" in text
    if given.get("rest_public", REST) == REST:
        assert REST in text
    assert not Credential.objects.exists()
    assert not Connection.objects.exists()


def test_an_exchange_that_is_away_says_so_above_the_form(client, owner, sign_in, keys, settings):
    settings.EXCHANGES = [f"Test=http://127.0.0.1:{ports.lasting()}"]
    sign_in(client, owner)
    assert refusals.NO_REACH in client.post(CONNECT, TYPED).content.decode()


def test_without_exchanges_there_is_nothing_to_fill_in(client, owner, sign_in, settings):
    settings.EXCHANGES = []
    sign_in(client, owner)
    assert "There is no exchange to connect to." in client.get(CONNECT).content.decode()


def test_who_may_only_look_sees_all_of_it_and_no_button(client, audit, sign_in, real):
    sign_in(client, audit)
    text = client.get(way("account", real)).content.decode()
    assert "In use" in text
    for page in pages(real):
        assert page not in text
        assert client.get(page).status_code == 403
        assert client.post(page).status_code == 403
    assert client.post(way("try_again", real, of(real).pk)).status_code == 403
    Grant.objects.filter(member=audit).delete()
    assert client.get(way("account", real)).status_code == 403


def test_next_door_is_not_there(client, eve, sign_in, real):
    sign_in(client, eve)
    for page in [way("account", real), *pages(real)[1:]]:
        assert client.get(page).status_code == 404
    assert client.post(way("try_again", real, of(real).pk)).status_code == 404


def test_a_credential_of_another_account_is_not_there(client, owner, sign_in, real):
    main = Account.objects.get(organization=owner.organization, name="Main")
    Connection.objects.create(account=main, exchange="Test", connected_at=timezone.now())
    sign_in(client, owner)
    for name in ("replace_credential", "remove_credential"):
        assert client.get(reverse(f"kraken:{name}", args=[main.pk, of(real).pk])).status_code == 404
    assert client.post(reverse("kraken:try_again", args=[main.pk, of(real).pk])).status_code == 404


def test_an_account_of_the_paper_exchange_says_what_it_is(client, owner, sign_in):
    sign_in(client, owner)
    main = Account.objects.get(organization=owner.organization, name="Main")
    assert "no exchange has it" in client.get(reverse("kraken:account", args=[main.pk])).content.decode()
    for name in ("disconnect", "add_credential", "reconnect"):
        assert client.get(reverse(f"kraken:{name}", args=[main.pk])).status_code == 404


def test_one_press_tries_once_and_starts_it_again(client, ana, sign_in, real, keys):
    """By who may ask: nobody has to agree, since nothing is given that was not agreed to."""
    row = of(real, Purpose.REST)
    Credential.objects.filter(pk=row.pk).update(stopped_at=timezone.now(), stopped_because="EAPI:Invalid key")
    keys.exchange.asked.clear()
    sign_in(client, ana)
    assert "EAPI:Invalid key" in client.get(way("account", real)).content.decode()
    client.get(way("try_again", real, row.pk))
    assert keys.exchange.asked == []
    page = client.post(way("try_again", real, row.pk), follow=True).content.decode()
    assert "The exchange takes" in page
    assert len(keys.exchange.asked) == 1
    row.refresh_from_db()
    assert row.stopped_at is None
    assert AuditEvent.objects.get(kind="credential.tried_again").outcome == "success"


def test_who_tries_wrong_keys_again_and_again_is_made_to_wait(client, owner, ana, sign_in, real, keys):
    """The exchange would lock out everybody who calls from here."""
    sign_in(client, ana)
    row = of(real)
    wrong = TYPED | {"rest_public": "NOBODY-KNOWS-IT"}
    for _ in range(9):
        assert refusals.UNKNOWN_KEY in unescape(client.post(CONNECT, wrong).content.decode())
    assert "The exchange takes" in client.post(way("try_again", real, row.pk), follow=True).content.decode()
    keys.exchange.asked.clear()
    assert refusals.TOO_MANY_TRIALS in client.post(CONNECT, wrong | {"note": "Kept"}).content.decode()
    page = client.post(way("try_again", real, row.pk), follow=True).content.decode()
    assert "was not tried" in page
    assert keys.exchange.asked == []
    # Others try theirs.
    other = Client()
    sign_in(other, owner)
    assert "The exchange takes" in other.post(way("try_again", real, row.pk), follow=True).content.decode()


def test_one_that_is_still_refused_says_why_and_stays_stopped(client, ana, sign_in, real, keys):
    row = of(real)
    Credential.objects.filter(pk=row.pk).update(stopped_at=timezone.now(), stopped_because="EAPI:Invalid key")
    keys.errors["", "GetApiKeyInfo"] = ["EGeneral:Temporary lockout"]
    sign_in(client, ana)
    page = client.post(way("try_again", real, row.pk), follow=True).content.decode()
    assert refusals.LOCKED_OUT in page
    assert "EGeneral:Temporary lockout" in page
    row.refresh_from_db()
    assert row.stopped_at is not None
    assert AuditEvent.objects.get(kind="credential.tried_again").outcome == "refused"


def test_adding_replacing_and_removing(client, owner, sign_in, real, keys):
    keys.info["MORE"] = info("query-funds")
    sign_in(client, owner)
    added = {"purpose": "rest", "label": "Reports", "public": "MORE", "secret": secret_of("MORE")}
    assert "Reports" in client.post(way("add_credential", real), added, follow=True).content.decode()
    old = of(real)
    page = way("replace_credential", real, old.pk)
    assert old.short in client.get(page).content.decode()
    assert client.post(page, {"public": NEW, "secret": secret_of(NEW)}).url == way("account", real)
    assert of(real).public == NEW
    assert client.get(page).status_code == 404
    assert client.post(way("remove_credential", real, of(real).pk), {}).url == way("account", real)
    assert "This Account cannot withdraw." in client.get(way("account", real)).content.decode()


@pytest.mark.parametrize(("query", "chosen"), [("withdraw", "withdraw"), ("", "rest"), ("all", "rest")])
def test_the_link_for_withdrawals_has_chosen_them_already(client, owner, sign_in, real, query, chosen):
    sign_in(client, owner)
    form = client.get(f"{way('add_credential', real)}?purpose={query}").context["form"]
    assert form["purpose"].value() == chosen


def test_a_replacement_that_fails_gives_no_secret_back(client, owner, sign_in, real):
    sign_in(client, owner)
    text = client.post(
        way("replace_credential", real, of(real).pk), {"public": NEW, "secret": secret_of(REST)}
    ).content.decode()
    assert refusals.WRONG_PRIVATE_HALF in text
    assert NEW in text
    assert secret_of(REST) not in text
    assert of(real).public == WITHDRAW


def test_disconnecting_shows_what_is_open_and_the_account_comes_again(client, owner, sign_in, real, keys):
    keys.results["OpenOrders"] = {"open": {"O1": {}}}
    sign_in(client, owner)
    assert "1 order would stay open." in client.get(way("disconnect", real)).content.decode()
    keys.results["OpenOrders"] = {"open": {}}
    assert "Nothing is open." in client.get(way("disconnect", real)).content.decode()
    page = client.post(way("disconnect", real), {}, follow=True).content.decode()
    assert "This Account is disconnected." in page
    assert client.get(way("disconnect", real)).status_code == 404
    again = way("reconnect", real)
    assert "Connect Real again" in client.get(again).content.decode()
    answer = client.post(again, {name: value for name, value in TYPED.items() if name not in ("exchange", "name")})
    assert answer.url == way("account", real)
    assert "At Test since" in client.get(answer.url).content.decode()


def test_what_waits_is_linked(client, ana, sign_in, real):
    sign_in(client, ana)
    client.post(way("disconnect", real), {})
    change = ChangeRequest.objects.get(operation="kraken.disconnect")
    assert reverse("policies:request", args=[change.reference]) in client.get(way("account", real)).content.decode()


def test_an_exchange_off_the_list_is_said(client, owner, sign_in, real, settings):
    settings.EXCHANGES = ["Other=https://exchange.example"]
    sign_in(client, owner)
    assert "off the list of exchanges" in client.get(way("account", real)).content.decode()


def test_as_many_statements_for_many_credentials(client, owner, sign_in, real):
    sign_in(client, owner)
    client.get(way("account", real))
    with CaptureQueriesContext(database) as few:
        client.get(way("account", real))
    row = of(real, Purpose.REST)
    for number in range(20):
        row.pk, row.public, row.sealed_secret = None, f"MORE-{number}", "sealed"
        row.save()
    with CaptureQueriesContext(database) as many:
        text = client.get(way("account", real)).content.decode()
    assert text.count("In use since") == 22
    assert len(many) == len(few)
