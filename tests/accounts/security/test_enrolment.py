"""Enrolling a factor: what counts only once it has passed, who may, and who can do nothing else before."""

import html
import re
from base64 import b32decode, b32encode
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.authentication.session_store import SessionStore
from accounts.factors.enrolled import held, meets
from accounts.models import Authenticator, Member, Organization, Passkey, RecoveryCode, Session
from accounts.models.second_factor import code_at, current_step
from accounts.security import enrolment
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import also_in
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
APP = "/enrol/app/"


@pytest.fixture
def newcomer(ana):
    """A Member without any factor, as after an invitation or a reset."""
    Authenticator.objects.filter(user=ana.user).delete()
    return ana


@pytest.fixture
def link():
    """A client in which a person may enrol, as after a link from their mail."""

    def opened(member, then="") -> Client:
        store = SessionStore()
        enrolment.begin(store, member, then=then)
        store.save()
        client = Client()
        client.cookies["session"] = str(store.session_key)
        return client

    return opened


def only_passkeys(member) -> None:
    Organization.objects.filter(pk=member.organization_id).update(second_factor_level="passkey")


def seed(page) -> bytes:
    (shown,) = re.findall(r'<code translate="no"[^>]*>(.*?)</code>', page.content.decode(), re.DOTALL)
    return b32decode(re.sub(r"<[^>]*>|\s", "", shown))


def now(key: bytes, offset: int = 0) -> str:
    return code_at(key, current_step() + offset)


def is_in(client):
    return client.get("/inbox/").status_code == 200


def test_a_first_app_opens_the_session_and_leads_to_recovery_codes(newcomer, link):
    client = link(newcomer, then="/profile/")
    key = seed(client.get(APP))
    assert client.post(APP, {"name": "Phone", "code": now(key)}).url == "/security/recovery-codes/"
    assert is_in(client)
    assert held(newcomer) == {"totp"}
    assert 'href="/profile/"' in client.get("/security/recovery-codes/").content.decode()
    assert AuditEvent.objects.filter(kind="factor.added", data__factor="totp").exists()


def test_a_first_passkey_opens_the_session_too(newcomer, link):
    client, made = link(newcomer), SoftPasskey()
    answer = made.create(client.post("/enrol/passkey/options/").json())
    assert client.post("/enrol/passkey/", {"name": "Key", "answer": answer}).url == "/security/recovery-codes/"
    assert is_in(client)
    assert Session.objects.get().factor == "passkey"


def test_an_enrolment_counts_only_after_one_code_of_it(newcomer, link):
    """F-4: and the code that confirmed it is spent."""
    with time_machine.travel(timezone.now(), tick=False):
        client = link(newcomer)
        key = seed(client.get(APP))
        answer = client.post(APP, {"name": "Phone", "code": now(key, offset=9)})
        assert "Not the code that this key shows now" in answer.content.decode()
        assert not is_in(client)
        assert held(newcomer) == frozenset()
        client.post(APP, {"name": "Phone", "code": now(key)})
        assert Authenticator.objects.get(user=newcomer.user).last_step == current_step()


def test_the_seed_that_waits_is_sealed_and_dies_with_the_session(newcomer, link, tmp_path):
    """F-4: `grep` dump of the database for the base32 and hex seed: none, before and after it counts."""
    client = link(newcomer)
    key = seed(client.get(APP))
    for confirm in (False, True):
        if confirm:
            client.post(APP, {"name": "Phone", "code": now(key)})
        kept = " ".join(str(SessionStore().decode(row.session_data)) for row in Session.objects.all())
        dump = tmp_path / f"dump-{confirm}.json"
        call_command("dumpdata", output=str(dump), verbosity=0)
        for text in (kept, dump.read_text()):
            assert b32encode(key).decode() not in text
            assert key.hex() not in text.lower()
    assert "pending_seed" not in client.session


def test_another_session_cannot_confirm_the_seed(newcomer, link):
    first, second = link(newcomer), link(newcomer)
    key = seed(first.get(APP))
    second.post(APP, {"name": "Phone", "code": now(key)})
    assert held(newcomer) == frozenset()


def test_the_seed_is_shown_in_the_page_and_nowhere_else(newcomer, link):
    """F-4: in the page body as SVG, and once as the link that opens an app on the same device (fault pages-B19).

    Never in a URL of ours, message or history, and no cache keeps it.
    """
    client = link(newcomer)
    page = client.get(APP)
    text = page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    (svg,) = re.findall(r'<svg[^>]*class="qr".*?</svg>', text, re.DOTALL)
    assert "style" not in svg
    (link_to_app,) = re.findall(r'"(otpauth:[^"]*)"', html.unescape(text))
    assert text.count("otpauth") == 1
    key = seed(page)
    assert f"secret={b32encode(key).decode()}&" in link_to_app
    client.post(APP, {"name": "Phone", "code": now(key)})
    told = " ".join(str(event.data) for event in AuditEvent.objects.all())
    assert b32encode(key).decode() not in told
    assert len(key) == 20, "160 bits"


def test_every_look_at_the_page_makes_another_seed(newcomer, link):
    client = link(newcomer)
    first, second = seed(client.get(APP)), seed(client.get(APP))
    assert first != second
    assert "Not the code" in client.post(APP, {"name": "Phone", "code": now(first)}).content.decode()


def test_five_wrong_codes_bring_another_seed(newcomer, link):
    client = link(newcomer)
    key = seed(client.get(APP))
    for _ in range(5):
        client.post(APP, {"name": "Phone", "code": now(key, offset=9)})
    assert seed(client.post(APP, {"name": "Phone", "code": now(key)})) != key
    assert held(newcomer) == frozenset()


def test_a_link_enrols_for_half_an_hour_and_only_the_first_factor(newcomer, link):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client, late = link(newcomer), link(newcomer)
        clock.shift(timedelta(minutes=30))
        assert late.get(APP).url == "/sign-in/"
        clock.shift(-timedelta(seconds=1))
        assert client.get(APP).status_code == 200
    made = Authenticator.objects.create(user=newcomer.user, name="x", confirmed=True, created_at=timezone.now())
    made.places.add(newcomer)
    assert client.get(APP).url == "/sign-in/"
    with pytest.raises(Conflict):
        link(newcomer)


def test_a_link_dies_with_the_password(newcomer, link):
    client = link(newcomer)
    newcomer.user.set_password("another long walk, inland")
    newcomer.user.save()
    assert client.get(APP).url == "/sign-in/"


def test_a_password_alone_enrols_nothing(newcomer):
    """SI-1: who has no factor needs the link of their mail, not just the password."""
    client = Client()
    client.post("/sign-in/", {"email": newcomer.user.email, "password": PASSWORD})
    assert "No second factor yet?" in client.get("/sign-in/code/").content.decode()
    for path in ("/enrol/", APP):
        assert client.get(path).headers["Location"] == "/sign-in/"
    assert client.post("/enrol/passkey/options/").status_code == 403


def test_adding_a_factor_takes_a_fresh_one(client, owner, sign_in, code):
    """F-8: fresh and stale session."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        assert client.get("/enrol/").status_code == 200
        clock.shift(timedelta(minutes=5, seconds=1))
        assert client.get("/enrol/").url == "/security/confirm/?next=%2Fenrol%2F"
        assert client.post("/enrol/passkey/options/").status_code == 403
        assert client.get(APP).status_code == 302
        assert client.post("/security/confirm/?next=/enrol/", {"code": code(owner)}).url == "/enrol/"
        assert client.get(APP).status_code == 200


def test_a_factor_that_was_added_ends_the_other_sessions_and_the_step_up(client, owner, sign_in, mailed):
    """SI-8, SU-4: at once, in the store; the marks are cleared, and it is told (SI-10)."""
    other = Client()
    sign_in(other, owner)
    sign_in(client, owner)
    key = seed(client.get(APP))
    told = mailed(lambda: client.post(APP, {"name": "Second phone", "code": now(key)}))
    assert not is_in(other)
    assert is_in(client)
    assert "proved_at" not in client.session
    assert "A second factor was added" in told[0].subject + told[0].body


def test_several_apps_serve_and_wrong_codes_count_for_the_person(client, owner, sign_in):
    """F-11: holding two gives nobody more tries."""
    sign_in(client, owner)
    key = seed(client.get(APP))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.post(APP, {"name": "Second phone", "code": now(key)})
        clock.shift(60)
        visitor = Client()
        visitor.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
        visitor.post("/sign-in/code/", {"code": "000000"})
        counted = Authenticator.objects.filter(user=owner.user).order_by("pk")
        assert [device.throttling_failure_count for device in counted] == [1, 1], "on each that was asked"
        clock.shift(60)
        visitor.post("/sign-in/code/", {"code": now(key)})
        assert is_in(visitor)


# --- The level ---


def test_a_raised_level_leads_an_approver_with_an_app_to_enrolment(client, ben, sign_in):
    """DESIGN O4, F-12: level raised: an approver with TOTP only is led to enrolment, and can do nothing else."""
    sign_in(client, ben)
    only_passkeys(ben)
    assert not meets(Member.objects.get(pk=ben.pk))
    for path in ("/inbox/", "/members/", "/security/", "/history/", "/security/recovery-codes/"):
        assert client.get(path).headers["Location"] == "/enrol/", path
    assert client.post("/requests/x/decide/").headers["Location"] == "/enrol/"
    assert client.get("/inbox/count/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/enrol/"
    page = client.get("/enrol/").content.decode()
    assert "asks everybody for a passkey" in page
    assert APP not in page


def test_with_the_passkey_they_are_in_again(client, ben, sign_in):
    sign_in(client, ben)
    only_passkeys(ben)
    RecoveryCode.objects.create(user=ben.user, digest="x", created_at=timezone.now()).places.add(ben)
    made = SoftPasskey()
    answer = made.create(client.post("/enrol/passkey/options/").json())
    assert client.post("/enrol/passkey/", {"name": "Key", "answer": answer}).url == "/security/"
    assert is_in(client)


def test_under_that_level_a_code_neither_signs_in_nor_steps_up(client, ben, code):
    """F-12: who holds both has to show the passkey."""
    made = SoftPasskey()
    made.enrolled(ben.user)
    only_passkeys(ben)
    client.post("/sign-in/", {"email": ben.user.email, "password": PASSWORD})
    client.post("/sign-in/code/", {"code": code(ben)})
    assert client.get("/inbox/").url == "/security/confirm/"
    page = client.get("/security/confirm/").content.decode()
    assert "Use passkey" in page
    assert "Authentication code" not in page
    client.post("/security/confirm/", {"code": code(ben)})
    assert not is_in(client)
    answer = made.get(client.post("/security/passkey/").json())
    client.post("/security/confirm/", {"assertion": answer})
    assert is_in(client)


def test_under_that_level_a_code_enrols_no_passkey_beside_the_one_they_hold(client, ben, code):
    """F-8, F-12: password and code are what the level is to keep out; they must not buy a passkey of a stranger's."""
    held_by_ben, strangers = SoftPasskey(), SoftPasskey()
    held_by_ben.enrolled(ben.user)
    only_passkeys(ben)
    client.post("/sign-in/", {"email": ben.user.email, "password": PASSWORD})
    client.post("/sign-in/code/", {"code": code(ben)})

    assert client.get("/enrol/").url == "/security/confirm/?next=%2Fenrol%2F"
    assert client.post("/enrol/passkey/options/").status_code == 403
    assert client.post("/enrol/passkey/", {"name": "Mine", "answer": "{}"}).status_code == 302

    answer = held_by_ben.get(client.post("/security/passkey/").json())
    client.post("/security/confirm/", {"assertion": answer})
    made = strangers.create(client.post("/enrol/passkey/options/").json())
    client.post("/enrol/passkey/", {"name": "Second", "answer": made})
    assert Passkey.objects.filter(user=ben.user).count() == 2


def test_nor_does_it_next_door_where_a_code_is_enough(client, world, owner, eve, sign_in):
    """F-8: a factor is the person's everywhere, so it takes what the strictest of their Organizations takes."""
    passkey = SoftPasskey()
    passkey.enrolled(owner.user)
    also_in(world.elsewhere, owner.user, identity="verified")
    Organization.objects.filter(pk=world.elsewhere.pk).update(second_factor_level="passkey")
    sign_in(client, owner)

    assert is_in(client)
    assert client.post("/enrol/passkey/options/").status_code == 403
    assert "Use a passkey that you hold." in client.get("/enrol/", follow=True).content.decode()
    codes = "/security/recovery-codes/"
    assert client.post(codes).url == f"/security/confirm/?next={quote(codes, safe='')}", "they would lead to a factor"
    assert not RecoveryCode.objects.exists()
    answer = passkey.get(client.post("/security/passkey/").json())
    assert client.post(f"/security/confirm/?next={codes}", {"assertion": answer}).url == codes
    client.post(codes)
    assert RecoveryCode.objects.filter(user=owner.user).exists()


def test_a_passkey_is_offered_to_everyone_and_first(client, owner, sign_in):
    """F-12: at the sign-in, and where factors are enrolled."""
    page = client.get("/sign-in/").content.decode()
    assert page.index("Sign in with a passkey") < page.index("Email")
    sign_in(client, owner)
    page = client.get("/enrol/").content.decode()
    assert page.index("Create a passkey") < page.index("authenticator app</a>")
    assert not Passkey.objects.exists()


def test_switching_into_an_organization_that_asks_for_more_asks_for_it(client, world, owner, eve, sign_in):
    """O4: the level binds every Member, however they came in."""
    also_in(world.elsewhere, owner.user, identity="verified")
    Organization.objects.filter(pk=world.elsewhere.pk).update(second_factor_level="passkey")
    sign_in(client, owner)
    client.post("/switch/", {"organization": world.elsewhere.pk})
    assert client.get("/inbox/").url == "/enrol/"
    client.post("/switch/", {"organization": owner.organization_id})
    assert is_in(client)
