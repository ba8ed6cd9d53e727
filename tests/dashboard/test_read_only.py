"""Every page while the database takes no changes: read as ever, with the notice, and nothing taken for done."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.authentication import session_data
from accounts.authentication.session_store import SessionStore
from accounts.models import Member, Session
from policies.models import ChangeRequest, Decision
from portal.audit.models import AuditEvent
from portal.core.database.postgresql import standby
from portal.dashboard import readiness
from tests import ports
from tests.api.calls import Wire
from tests.dashboard.every_route import PAGES, READERS, address
from tests.factories import full_house, full_inbox
from tests.factories.connection import EXCHANGE
from tests.factories.full_house import House
from tests.factories.world import PASSWORD

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
TOLD: Final = "The database takes no changes just now: you can read, nothing can be decided."
# Parts of pages, which stand in one that says it, and files.
PARTS: Final = frozenset(
    {
        "policies:inbox_count",
        "policies:replay_now",
        "accounts:session_left",
        "accounts:here",
        "treasury:withdrawals_now",
        "treasury:withdrawal_now",
        "treasury:withdrawal_stage",
        "accounts:key_risk",
        "treasury:preview_withdrawal",
    }
)


# The history says who looked: without that they are not shown.
NOTE_WHO_LOOKED: Final = ("accounts:review_identity", "accounts:service_users_csv")
OTHERS: Final = {
    "dashboard:read_only",  # below
    *NOTE_WHO_LOOKED,
    "treasury:try_deposit",  # only while the portal is tried out
    "kraken:disconnect",  # asks an exchange, which nobody does in the transaction of a test
}


def noted() -> list[object]:
    """What a page would note of its reader."""
    return [*Member.objects.order_by("pk").values_list("pk", "last_seen_at"), *Session.objects.values_list("seen_at")]


def counts() -> list[int]:
    return [model.objects.count() for model in (ChangeRequest, Decision, AuditEvent, Session, Member)]


@pytest.fixture
def house(world, settings) -> House:
    settings.EXCHANGES = [f"{EXCHANGE}=http://127.0.0.1:{ports.lasting()}"]
    found = full_house.furnish(world)
    full_inbox.fill(found)
    return found


@pytest.fixture
def readers(house, sign_in) -> dict[str, Client]:
    """Who is signed in already, and was there a while ago, so that each page would note that they are back."""
    found = {name: Client(raise_request_exception=False) for name in ("owner", "ben")}
    for name, client in found.items():
        sign_in(client, house.world.members[name])
    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        session[session_data.ACTIVE] -= 2 * session_data.NOTED_EVERY.total_seconds()
        session.save()
    return found


@pytest.fixture
def read_only(request) -> Iterator[None]:
    """A server that takes no changes, as a standby says of itself; what it refuses is refused by PostgreSQL."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no standby")
    for name in ("readers", "house"):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    with without_changes():
        yield


@pytest.fixture
def read_only_later() -> Callable[[], AbstractContextManager[None]]:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no standby")
    return without_changes


@contextmanager
def without_changes() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute("SET LOCAL transaction_read_only = on")
        assert standby.is_read_only()
        yield
        transaction.set_rollback(True)
    assert not standby.is_read_only()


def test_every_page_is_read_and_says_that_nothing_can_be_decided(house, readers, read_only):
    before = noted()
    wrong: dict[str, object] = {}
    for name, addresses in PAGES.items():
        for url in () if name in OTHERS else addresses(house):
            answer = readers[READERS.get(name, "owner")].get(url)
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if answer.status_code != 200 or (name not in PARTS and TOLD not in text.decode(errors="replace")):
                wrong[url] = answer.status_code
            if answer.cookies.get("session") is not None:
                wrong[url] = "the session was touched"
    assert wrong == {}
    assert noted() == before
    # That somebody looked cannot be left out of the history.
    for name in NOTE_WHO_LOOKED:
        answer = readers["owner"].get(PAGES[name](house)[0])
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), name
        assert "this page needs one" in answer.content.decode()


def forms(house: House) -> dict[str, tuple[str, dict[str, str]]]:
    """What people send who are signed in."""
    change = next(iter(house.requests.values()))
    digest, about = change.digest, [change.reference]
    return {
        "approve": (reverse("policies:decide", args=about), {"verdict": "approve", "digest": digest, "code": "123456"}),
        "reject": (reverse("policies:decide", args=about), {"verdict": "reject", "digest": digest, "reason": "no"}),
        "take back": (reverse("policies:cancel", args=about), {"digest": digest}),
        "several at once": (reverse("policies:batch"), {"requests": str(change.reference)}),
        "withdraw": (reverse("treasury:new_withdrawal"), {"address": str(address(house)[0]), "amount": "0.1"}),
        "invite": (reverse("accounts:invite"), {"email": "new@example.com"}),
        "service user": (reverse("accounts:new_service_user"), {"name": "late-bot"}),
        "step up": (reverse("accounts:prove"), {"code": "123456"}),
    }


def test_whatever_is_sent_is_turned_away_and_nothing_of_it_happens(house, readers, read_only):
    """Never is an answer mistaken for a decision: not in whole pages, nor in parts."""
    rows = counts()
    for what, (path, typed) in forms(house).items():
        for headers in ({}, {"HX-Request": "true"}):
            answer = readers["ben"].post(path, typed, headers=headers)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), what
            assert TOLD in answer.content.decode(), what
            assert "Nothing of what you sent was done" in answer.content.decode(), what
            assert answer.content.decode().lstrip().startswith("<p" if headers else "<!DOCTYPE"), what
    assert counts() == rows
    # Who is signed in stays so.
    assert readers["ben"].get(reverse("policies:inbox")).status_code == 200


def test_who_signs_out_leaves_this_browser_and_is_told_that_the_session_lasts(client, ana, sign_in, read_only_later):
    sign_in(client, ana)
    row, rows = Session.objects.get(member=ana), counts()
    with read_only_later():
        answer = client.post(reverse("accounts:sign_out"))
        text = " ".join(answer.content.decode().split())
        assert answer.status_code == 200
        assert answer.cookies["session"].value == ""
        assert answer.cookies["session"]["max-age"] == 0
        assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert TOLD in text
        assert "This browser has forgotten your session." in text
        assert "so it lasts there until <time" in text
        assert "press <em>End all other sessions</em>" in text
        assert ana.user.name not in text
        assert client.get(reverse("policies:inbox")).status_code == 302
        assert (counts(), Session.objects.filter(pk=row.pk).exists()) == (rows, True)


def test_another_site_makes_nobody_leave(ana, sign_in, read_only_later):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    sign_in(client, ana)
    with read_only_later():
        answer = client.post(reverse("accounts:sign_out"))
        # The refusal would be noted, and cannot be.
        assert answer.status_code == 503
        assert not answer.cookies
        assert client.get(reverse("policies:inbox")).status_code == 200


def test_nobody_signs_in_and_is_told_so_before_and_after_they_tried(client, ana, read_only):
    shown = client.get(reverse("accounts:sign_in"))
    assert shown.status_code == 200
    assert TOLD in shown.content.decode()
    answer = client.post(reverse("accounts:sign_in"), {"email": ana.user.email, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert TOLD in answer.content.decode()
    assert not answer.cookies


def test_a_session_that_is_over_is_over_though_it_cannot_be_ended(client, ana, sign_in, read_only_later):
    sign_in(client, ana)
    row = Session.objects.get(member=ana)
    session = SessionStore(row.session_key)
    session[session_data.ACTIVE] -= 24 * 3600
    session.save()
    with read_only_later():
        for _ in range(2):
            answer = client.get(reverse("policies:inbox"))
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith(reverse("accounts:sign_in"))
        assert Session.objects.filter(pk=row.pk).exists()


def test_an_open_page_asks_whether_it_is_still_so(client, ana, sign_in, read_only_later):
    sign_in(client, ana)
    url = reverse("dashboard:read_only")
    headers = {"HX-Request": "true"}
    assert client.get(url, {"shown": "0"}, headers=headers).status_code == 204
    assert TOLD not in client.get(url, {"shown": "1"}, headers=headers).content.decode()
    with read_only_later():
        assert client.get(url, {"shown": "1"}, headers=headers).status_code == 204
        text = client.get(url, {"shown": "0"}, headers=headers).content.decode()
        assert TOLD in text
        assert "shown=1" in text
        assert 'role="status" aria-live="polite"' in client.get(reverse("policies:inbox")).content.decode()


@pytest.mark.parametrize("method", ["Balance", "OpenOrders", "WithdrawStatus", "AddOrder", "Withdraw"])
def test_a_bot_is_told_to_come_back_for_all_that_needs_a_nonce(world, read_only, method):
    fields = {"asset": "XBT", "key": "btc-cold", "amount": "0.01"} if method == "Withdraw" else {}
    if method == "AddOrder":
        fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
    answer = Wire(world.bot("treasury-bot")).ask(method, **fields)
    assert answer == {"error": ["EService:Unavailable"]}


def test_public_methods_go_on(client, world, read_only):
    for method in ("Time", "Assets", "Ticker?pair=XBTUSD"):
        assert client.get(f"/0/public/{method}", secure=True).json()["error"] == []


def test_the_watch_is_told_that_pages_can_be_read(client, world, read_only):
    assert readiness.look().words["database"] == "read-only"
    assert client.get("/readyz").status_code == 503
    pages = client.get("/readyz/pages")
    assert (pages.status_code, pages.json()["ready"], pages.json()["database"]) == (200, True, "read-only")
