"""Signing in: password, then code, then a session; and what each step leaves behind."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone

from accounts.authentication.password_step import WRONG
from accounts.authentication.passwords import Argon2Hasher
from accounts.models import Session
from portal.audit.models import AuditEvent
from tests.factories.world import PASSWORD
from tests.test_architecture import PUBLIC

pytestmark = pytest.mark.django_db
SIGN_IN, VERIFY = "/sign-in/", "/sign-in/code/"
SECOND_STEP = (SIGN_IN, VERIFY, "/sign-in/recovery/")


def password_step(client, member, password=PASSWORD, query=""):
    return client.post(SIGN_IN + query, {"email": member.user.email, "password": password})


def key(client) -> str:
    return str(client.cookies["session"].value)


def is_signed_in(client) -> bool:
    return bool(client.get(reverse("accounts:members")).status_code != 302)


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 1_000_000:06d}"


def test_password_and_code_open_a_session(client, owner, code):
    assert password_step(client, owner).url == VERIFY
    assert client.post(VERIFY, {"code": code(owner)}).url == "/inbox/"
    assert is_signed_in(client)


def test_the_address_may_be_written_in_any_case(client, owner, code):
    client.post(SIGN_IN, {"email": " OWNER@Demo.Test ", "password": PASSWORD})
    client.post(VERIFY, {"code": code(owner)})
    assert is_signed_in(client)


def test_the_pages_say_what_to_type(client, owner):
    text = client.get(SIGN_IN).content.decode()
    assert ">Email" in text.replace("\n", "").replace("  ", "")
    assert "Password" in text
    assert "Sign in</button>" in text
    password_step(client, owner)
    text = client.get(VERIFY).content.decode()
    assert "Authentication code" in text
    assert "Verify</button>" in text


def test_a_password_alone_opens_nothing(client, owner):
    """SI-1: password only, then every route, `/v2` and fragments included: none answers 200 but the public list."""
    stranger, halfway = Client(), client
    password_step(halfway, owner)
    for path, headers in ((path, headers) for path in (*paths(), "/v2") for headers in ({}, {"HX-Request": "true"})):
        answers = [_status(visitor.get(path, headers=headers)) for visitor in (stranger, halfway)]
        if path not in SECOND_STEP:
            assert answers[0] == answers[1], path
            assert answers[1] != "200" or resolve(path).view_name in PUBLIC, path


def _status(answer) -> str:
    # What leads htmx to the sign-in is a 200 without a word in it.
    return (
        f"to {answer.headers['HX-Redirect']}{answer.content!r}"
        if "HX-Redirect" in answer.headers
        else str(answer.status_code)
    )


def test_a_pending_session_holds_nothing_but_that(client, owner):
    """SI-1: whose, since when, a fragment of the password's digest, and how often it failed."""
    password_step(client, owner)
    held = client.session
    assert set(held.keys()) == {"pending_user", "pending_since", "pending_hash", "pending_failures"}
    assert len(held["pending_hash"]) == 16
    assert held["pending_hash"] not in owner.user.password


def test_the_code_page_takes_a_password_first(client, owner, code):
    assert client.get(VERIFY).url == SIGN_IN
    assert client.post(VERIFY, {"code": code(owner)}).url == SIGN_IN
    assert not is_signed_in(client)


def test_a_pending_sign_in_lives_five_minutes(client, owner, code):
    """SI-2: freeze time."""
    start = timezone.now()
    for after, opens in ((timedelta(minutes=5), False), (timedelta(minutes=4, seconds=59), True)):
        with time_machine.travel(start, tick=False) as clock:
            visitor = Client()
            password_step(visitor, owner)
            clock.shift(after)
            visitor.post(VERIFY, {"code": code(owner)})
            assert is_signed_in(visitor) is opens


def test_a_pending_sign_in_ends_after_five_failures(client, owner, code):
    """SI-2: it counts them itself, whatever the device allows."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        password_step(client, owner)
        answers = []
        for _ in range(5):
            answers.append(client.post(VERIFY, {"code": wrong(code(owner))}))
            clock.shift(40)
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 302]
        client.post(VERIFY, {"code": code(owner)})
        assert not is_signed_in(client)


def test_a_pending_sign_in_dies_with_the_password(client, owner, code):
    """SI-2: change the password between the steps."""
    password_step(client, owner)
    owner.user.set_password("another long walk, inland")
    owner.user.save()
    client.post(VERIFY, {"code": code(owner)})
    assert not is_signed_in(client)


def test_the_session_key_changes_at_both_steps(client, owner, code):
    """SI-3: compare keys; replay each earlier cookie, get the sign-in page."""
    client.get(SIGN_IN)
    session = client.session
    session["left"] = "by somebody else"
    session.save()
    client.cookies["session"] = session.session_key
    first = session.session_key
    password_step(client, owner)
    second = key(client)
    client.post(VERIFY, {"code": code(owner)})
    third = key(client)
    assert len({first, second, third}) == 3
    assert set(Session.objects.values_list("session_key", flat=True)) == {third}
    for old in (first, second):
        visitor = Client()
        visitor.cookies["session"] = old
        assert visitor.get(reverse("accounts:members")).headers["Location"].startswith(SIGN_IN)
        assert visitor.get(VERIFY).headers["Location"] == SIGN_IN
    assert "left" not in client.session


def test_signing_in_while_signed_in_changes_nothing(client, owner, ben, code):
    """SI-3: whoever is in must leave first; a second person never takes over the session."""
    password_step(client, owner)
    client.post(VERIFY, {"code": code(owner)})
    before = key(client)
    assert password_step(client, ben).url == "/inbox/"
    assert client.get(VERIFY).url == "/inbox/"
    assert key(client) == before


@pytest.fixture
def runs(monkeypatch):
    """Counts how often Argon2 runs."""
    counted = []
    for name in ("encode", "verify"):
        original = getattr(Argon2Hasher, name)

        def counting(self, *args, original=original):
            counted.append(original)
            return original(self, *args)

        monkeypatch.setattr(Argon2Hasher, name, counting)
    return counted


def test_a_stranger_learns_nothing_from_a_refusal(owner, ben, cleo, fay, runs):
    """SI-4: byte-compare bodies; the password hasher ran exactly once in each case."""
    cleo.user.is_active = False
    cleo.user.save()
    fay.suspended_at = timezone.now()
    fay.save()
    ben.user.set_unusable_password()
    ben.user.save()
    bodies, counts = set(), []
    for email, password in (
        ("nobody@demo.test", PASSWORD),
        (owner.user.email, "not the password"),
        (cleo.user.email, PASSWORD),
        (fay.user.email, PASSWORD),
        (ben.user.email, PASSWORD),
    ):
        runs.clear()
        visitor = Client()
        answer = visitor.post(SIGN_IN, {"email": email, "password": password})
        assert answer.status_code == 200
        assert "session" not in visitor.cookies
        text = answer.content.decode().replace(email, "somebody")
        assert WRONG in text
        bodies.add(without_tokens(text))
        counts.append(len(runs))
    assert len(bodies) == 1
    assert counts == [1] * 5


def test_a_right_password_also_takes_one_run(client, owner, runs):
    """SI-4: time tells nothing."""
    password_step(client, owner)
    assert len(runs) == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//e.x",
        "/\\e.x",
        "https:e.x",
        "javascript:alert(1)",
        "\thttps://e.x",
        "/\t/e.x",
        "https://testserver@e.x/",
        "https://e.x/inbox/",
        "http:///e.x",
        "\\\\e.x",
        "///e.x",
        "inbox",
        "",
    ],
)
def test_next_leads_nowhere_else(client, owner, code, elsewhere):
    """SI-12: whatever is not a path of ours leads to the inbox."""
    query = "?" + urlencode({"next": elsewhere})
    password_step(client, owner, query=query)
    assert client.post(VERIFY + query, {"code": code(owner)}).url == "/inbox/"


@pytest.mark.parametrize("wanted", ["/members/?after=x", "http://testserver/members/?after=x"])
def test_next_leads_to_a_path_of_ours(client, owner, code, wanted):
    """SI-12: only the path is kept, through both steps."""
    query = f"?next={wanted}"
    onward = password_step(client, owner, query=query).url
    assert onward.startswith(VERIFY + "?next=")
    assert client.post(onward, {"code": code(owner)}).url == "/members/?after=x"


def test_every_sign_in_is_in_the_history(client, owner, code):
    """AU-2: with the factor that passed or failed, in the Organization whose member it was."""
    password_step(client, owner, password="wrong")
    password_step(client, owner)
    client.post(VERIFY, {"code": wrong(code(owner))})
    client.post(VERIFY, {"code": code(owner)})
    client.post(reverse("accounts:sign_out"))
    events = AuditEvent.objects.filter(kind__startswith="sign_in").order_by("pk") | AuditEvent.objects.filter(
        kind="session.ended"
    )
    told = [(event.kind, event.outcome, event.data.get("factor"), event.actor_label) for event in events.order_by("pk")]
    assert told == [
        ("sign_in.failed", "refused", "password", "owner@demo.test"),
        ("sign_in.failed", "refused", "totp", "owner@demo.test"),
        ("sign_in.succeeded", "success", "totp", "Olive Marsh"),
        ("session.ended", "success", None, "Olive Marsh"),
    ]
    assert {event.organization_id for event in events} == {owner.organization_id}


def test_a_strangers_failure_belongs_to_the_installation(client, world):
    client.post(SIGN_IN, {"email": "nobody@nowhere.test", "password": "whatever it is"})
    event = AuditEvent.objects.get(kind="sign_in.failed")
    assert event.organization_id is None
    assert "whatever" not in str(event.data)


def test_signing_out_ends_the_session_in_the_store(client, owner, sign_in):
    """WB-6, SI-8: the browser is told to drop what it kept, and the cookie is worth nothing any more."""
    sign_in(client, owner)
    old = key(client)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    answer = client.post(reverse("accounts:sign_out"))
    assert answer.url == SIGN_IN
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.exists()
    visitor = Client()
    visitor.cookies["session"] = old
    assert not is_signed_in(visitor)


def test_forms_need_the_token(owner):
    """WB-3: also the sign-in."""
    strict = Client(enforce_csrf_checks=True)
    assert password_step(strict, owner).status_code == 403


def test_a_password_of_129_is_refused_before_it_is_hashed(client, owner, runs):
    """SI-6: 129 refused before hashing."""
    assert password_step(client, owner, password="x" * 129).status_code == 200
    assert runs == []


@pytest.mark.parametrize("password", ["x" * 64 + " 🔑 with spaces ", " leading and trailing "])
def test_any_characters_make_a_password(client, owner, password):
    """SI-6: 64 characters with spaces and emoji work; nothing is trimmed."""
    with transaction.atomic():
        owner.user.set_password(password)
        owner.user.save()
    assert password_step(client, owner, password=password).url == VERIFY
    assert password_step(Client(), owner, password=password.strip() + "x").status_code == 200


def without_tokens(text: str) -> str:
    return re.sub(r'(name="csrfmiddlewaretoken" value|name="csrf-token" content)="[^"]*"', "", text)


def paths() -> list[str]:
    """Every route that takes no argument, and one of each that does."""
    found = []
    for pattern in get_resolver().url_patterns:
        for route in getattr(pattern, "url_patterns", [pattern]):
            text = str(route.pattern)
            for name, value in (("<str:name>", "treasury-bot"), ("<str:public>", "x"), ("<reference>", "x")):
                text = text.replace(name, value)
            if "<" not in text:
                found.append("/" + text)
    return found
