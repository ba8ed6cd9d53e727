"""Passwords: which are taken, changing one, and setting one anew by a link."""

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.authentication import email_links, passwords
from accounts.models import AccessLink, Authenticator, Session, User
from accounts.models.invitation import LinkPurpose
from accounts.security import password_change
from portal.audit.models import AuditEvent
from portal.core.errors import Busy, NotFound
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "three lanterns under the bridge"
CHANGE, FORGOTTEN, RESET = "/security/password/", "/password/forgotten/", "/password/reset/"


def refused(password, user, *organizations) -> bool:
    try:
        passwords.check(password, user, organizations=organizations)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    "password", ["x" * 64 + " 🔑 with spaces", " twelve chars ", "ÄÖÜ-ßẞ-漢字-漢字-ok", "7" * 6 + "correct" + "horse"]
)
def test_any_characters_are_taken(owner, password):
    """SI-6: 64 characters with spaces and emoji work; no composition rule, no trimming."""
    assert not refused(password, owner.user)
    owner.user.set_password(password)
    assert owner.user.check_password(password)
    assert not owner.user.check_password(password.strip() + "x")


@pytest.mark.parametrize(
    "password",
    [
        "eleven char",
        "x1 " * 43,
        "password1234",
        "i am Olive, really",
        "M a r s h and moor",
        "demo treasury 2026",
        "my COUNTERSIGN key",
        "owner of the boat",
    ],
)
def test_short_long_common_and_telling_ones_are_not(owner, password):
    """SI-6: refused when short, on the common list, or holding the member's, organization's or product name."""
    assert refused(password, owner.user)


def test_what_one_is_about_to_join_counts_too(owner):
    """SI-6: also the organization of an invitation."""
    assert refused("harbour fund forever", owner.user, "Harbour Fund")
    assert not refused("harbour fund forever", owner.user)


DIGEST = """
import django
django.setup()
from django.contrib.auth.hashers import make_password
print(make_password("a long walk by the harbour"))
"""


def test_passwords_are_digested_by_argon2id(owner):
    """SI-6: Argon2id, at the cost that the class names and a running portal pays."""
    assert owner.user.password.startswith("argon2$argon2id$")
    answer = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_129_are_refused_before_hashing(client, owner, sign_in, hashed):
    """SI-6: 129 refused before hashing."""
    sign_in(client, owner)
    hashed.clear()
    answer = client.post(CHANGE, {"current": PASSWORD, "password": "x" * 129, "again": "x" * 129})
    assert answer.status_code == 200
    assert hashed == []


def test_changing_it_takes_the_present_one(client, owner, sign_in):
    sign_in(client, owner)
    answer = client.post(CHANGE, {"current": "something else", "password": NEW, "again": NEW})
    assert "This is not your present password." in answer.content.decode()
    owner.user.refresh_from_db()
    assert owner.user.check_password(PASSWORD)


def test_changing_it_takes_a_second_factor(client, owner, sign_in, code):
    """SU-1: less than five minutes old."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=5, seconds=1))
        filled = {"current": PASSWORD, "password": NEW, "again": NEW}
        assert client.post(CHANGE, filled).status_code == 200
        assert User.objects.get(pk=owner.user_id).check_password(PASSWORD)
        assert client.post(CHANGE, {**filled, "code": code(owner)}).status_code == 302
    assert User.objects.get(pk=owner.user_id).check_password(NEW)


def test_changing_it_ends_every_other_session(client, owner, sign_in, mailed):
    """SI-8, SI-10: sessions end in the store at once; one mail; the session here goes on under another key."""
    other = Client()
    sign_in(other, owner)
    sign_in(client, owner)
    before = client.session.session_key
    (sent,) = mailed(lambda: client.post(CHANGE, {"current": PASSWORD, "password": NEW, "again": NEW}))
    assert "Your password was changed" in sent.subject
    assert NEW not in sent.body
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302
    keys = set(Session.objects.values_list("session_key", flat=True))
    assert other.cookies["session"].value not in keys
    assert before not in keys
    assert AuditEvent.objects.filter(kind="password.changed").count() == 1


def test_the_same_one_again_is_no_change(client, owner, sign_in):
    sign_in(client, owner)
    answer = client.post(CHANGE, {"current": PASSWORD, "password": PASSWORD, "again": PASSWORD})
    assert "This is the password you have." in answer.content.decode()


def test_two_that_differ_are_refused(client, owner, sign_in):
    sign_in(client, owner)
    answer = client.post(CHANGE, {"current": PASSWORD, "password": NEW, "again": NEW + "x"})
    assert "The two are not the same." in answer.content.decode()


# --- By a link -------------------------------------------------------------------------------------------------------


def asked(member, mailed, client=None):
    """The path of the link in the mail."""
    (sent,) = mailed(lambda: (client or Client()).post(FORGOTTEN, {"email": member.user.email}))
    assert sent.to == [member.user.email]
    (link,) = re.findall(r"http://localhost:8000(/password/reset/\S+)", sent.body)
    return link


def test_a_link_sets_a_password_and_nothing_else(client, owner, mailed, code):
    """F-9: reset, then sign in: second factor asked; factors are as they were."""
    other = Client()
    other.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
    other.post("/sign-in/code/", {"code": code(owner)})
    assert other.get("/profile/").status_code == 200
    client.get(asked(owner, mailed))
    factors = list(Authenticator.objects.values_list("pk", "sealed_seed"))
    (sent,) = mailed(lambda: client.post(RESET, {"password": NEW, "again": NEW}))
    assert "set anew" in sent.subject
    assert list(Authenticator.objects.values_list("pk", "sealed_seed")) == factors
    assert client.get("/profile/").status_code == 302
    assert other.get("/profile/").status_code == 302
    assert client.post("/sign-in/", {"email": owner.user.email, "password": NEW}).url == "/sign-in/code/"
    assert client.get("/profile/").status_code == 302
    assert client.post("/sign-in/code/", {"code": code(owner)}).url == "/inbox/"


def test_the_token_leaves_the_address_before_the_form_shows(client, owner, mailed):
    """SI-11: final URL has no token; no-referrer there; opening the link uses nothing up."""
    path = asked(owner, mailed)
    answer = client.get(path)
    assert answer.url == RESET
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = client.get(RESET)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert path.split("/")[-2] not in page.content.decode()
    assert client.get(path).status_code == 302


@pytest.mark.parametrize("debug", [False, True])
def test_a_link_works_once(client, owner, mailed, settings, debug):
    """SI-11: second use 404, on a page that says what to do next, also while trying it out."""
    settings.DEBUG = debug
    path = asked(owner, mailed)
    client.get(path)
    stale = Client()
    stale.get(path)
    assert client.post(RESET, {"password": NEW, "again": NEW}).status_code == 302
    over = Client().get(path)
    assert over.status_code == 404
    assert "This link is over" in over.content.decode()
    assert "Set a new password" in over.content.decode()
    assert over.headers["Referrer-Policy"] == "no-referrer"
    assert stale.post(RESET, {"password": "four more lanterns", "again": "four more lanterns"}).status_code == 404
    assert User.objects.get(pk=owner.user_id).check_password(NEW)


@pytest.mark.django_db(transaction=True)
def test_eight_racing_browsers_use_a_link_once(owner, race):
    """SI-11: one use, also under concurrency."""
    digest = email_links.issue(owner.user, LinkPurpose.RESET_PASSWORD).digest
    link = email_links.find(digest, LinkPurpose.RESET_PASSWORD)
    answers = race(lambda number: password_change.reset(link, new=f"lantern number {number} of eight"), 8)
    assert answers.count(None) == 1
    # Eight at once are more than are hashed for at a time: whoever finds no place is asked to come again.
    assert sum(isinstance(answer, NotFound | Busy) for answer in answers) == 7, answers


def test_a_link_lives_an_hour(client, owner, mailed):
    """SI-11: 1 h (reset)."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        path = asked(owner, mailed)
        clock.shift(timedelta(minutes=59, seconds=59))
        assert client.get(path).status_code == 302
        clock.shift(1)
        assert Client().get(path).status_code == 404
        page = client.get(RESET)
    assert page.status_code == 404
    assert "This link is over" in page.content.decode()


def test_only_a_digest_of_a_link_is_kept(owner, mailed):
    """SI-11: 128+ bits, digest stored."""
    token = asked(owner, mailed).split("/")[-2]
    assert len(token) * 5 >= 128
    assert token not in str(list(AccessLink.objects.values()))
    assert token not in str(list(AuditEvent.objects.values()))


def test_a_newer_link_kills_the_older(client, owner, mailed):
    first, second = asked(owner, mailed), asked(owner, mailed)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 302


def test_a_link_for_one_thing_opens_no_other(client, owner, mailed):
    token = email_links.issue(owner.user, LinkPurpose.RESET_PASSWORD).text
    assert client.get(f"/enrol/link/{token}/").status_code == 404


def test_nobody_learns_who_has_an_account(owner, cleo, hashed, mailed):
    """SI-4: byte-compare bodies; no digest, and the worker looks up who there is (fault security-L3)."""
    cleo.user.is_active = False
    cleo.user.save()
    bodies, runs = set(), []
    for email in (owner.user.email, cleo.user.email, "nobody@nowhere.test"):
        hashed.clear()
        answer = Client().post(FORGOTTEN, {"email": email})
        text = re.sub(r'content="[A-Za-z0-9]{64}"', "", answer.content.decode())
        bodies.add((answer.status_code, text, "session" in answer.cookies))
        runs.append(len(hashed))
    assert len(bodies) == 1
    assert runs == [0, 0, 0]


def test_a_link_names_the_portal_whatever_host_was_asked(owner, mailed):
    """WB-8: evil Host 400; reset mail link unchanged."""
    assert Client().post(FORGOTTEN, {"email": owner.user.email}, headers={"Host": "evil.test"}).status_code == 400
    (sent,) = mailed(
        lambda: Client().post(
            FORGOTTEN, {"email": owner.user.email}, headers={"Host": "127.0.0.1:9", "X-Forwarded-Host": "evil.test"}
        )
    )
    assert re.findall(r"https?://[^/]+", sent.body) == ["http://localhost:8000"]


def test_three_links_an_hour_are_enough(owner, mailed):
    counts = [len(mailed(lambda: password_change.ask_for_link(owner.user.email))) for _ in range(4)]
    assert counts == [1, 1, 1, 0]


def test_three_links_an_hour_are_enough_however_the_address_is_written(owner, mailed):
    """Nobody may fill a member's mailbox, or kill the link they wait for, by writing their address in capitals."""
    plain = owner.user.email
    written = [plain, plain.upper(), plain.capitalize(), plain.title(), f" {plain}"]
    assert sum(len(mailed(lambda email=email: password_change.ask_for_link(email))) for email in written) == 3


def test_who_holds_no_factor_is_sent_a_link_to_enrol_one(client, owner, mailed):
    """SI-1, F-9: neither a password nor a reset opens anything; the way on is in their own mail."""
    Authenticator.objects.filter(user=owner.user).delete()
    (sent,) = mailed(lambda: client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD}))
    assert "We have sent you a link to enrol one." in client.get("/sign-in/code/").content.decode()
    assert client.get("/enrol/").status_code == 302
    (path,) = re.findall(r"http://localhost:8000(/enrol/link/\S+)", sent.body)
    assert client.get(path).url == "/enrol/start/"
    assert "not your password" in client.post("/enrol/start/", {"password": "wrong"}).content.decode()
    assert client.post("/enrol/start/", {"password": PASSWORD}).url == "/enrol/"
    assert client.get("/enrol/").status_code == 200
    assert Client().get(path).status_code == 404
    assert client.get("/profile/").status_code == 302


def test_a_change_kills_the_link_that_was_asked_for(client, owner, sign_in):
    """SI-11: what it was for has been done another way."""
    made = email_links.issue(owner.user, LinkPurpose.RESET_PASSWORD)
    sign_in(client, owner)
    client.post("/security/password/", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert Client().get(f"/password/reset/{made.text}/").status_code == 404
