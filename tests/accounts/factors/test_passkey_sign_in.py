"""Signing in with a passkey; each answer for one challenge, one purpose, and once."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.factors import webauthn
from accounts.models import Passkey, Session
from portal.audit.models import AuditEvent
from tests.accounts.factors.passkeys import LATE, OPTIONS, REFUSED, SIGN_IN, is_signed_in, options, page, sign_in_with
from tests.factories.authenticator import SoftPasskey, raw
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_passkey_alone_signs_in(client, owner, passkey):
    assert sign_in_with(client, passkey).url == "/inbox/"
    assert is_signed_in(client)
    event = AuditEvent.objects.filter(kind="sign_in.succeeded").latest("pk")
    assert event.data["factor"] == "passkey"
    assert Session.objects.get().factor == "passkey"


def test_signing_in_with_a_passkey_changes_the_session_key(client, owner, passkey):
    """SI-3: the key of before is dead in the store."""
    asked = options(client, OPTIONS)
    before = client.session.session_key
    client.post(SIGN_IN, {"assertion": passkey.get(asked)})
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_after_the_password_only_that_persons_passkey_serves(client, owner, ben, passkey):
    other = SoftPasskey()
    other.enrolled(ben.user)
    client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
    asked = options(client, OPTIONS)
    assert [item["id"] for item in asked["allowCredentials"]] == [json.loads(passkey.get(asked))["id"]]
    assert client.post(SIGN_IN, {"assertion": other.get(asked)}).url == "/sign-in/code/"
    assert not is_signed_in(client)
    sign_in_with(client, passkey)
    assert is_signed_in(client)


def test_a_stranger_learns_of_no_credential(client, owner, passkey):
    assert options(client, OPTIONS).get("allowCredentials", []) == []


@pytest.mark.parametrize("end", ["inactive", "suspended"])
def test_a_passkey_of_somebody_shut_out_opens_nothing(client, owner, passkey, end):
    if end == "inactive":
        type(owner.user).objects.filter(pk=owner.user_id).update(is_active=False)
    else:
        type(owner).objects.filter(pk=owner.pk).update(suspended_at=timezone.now())
    sign_in_with(client, passkey)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"verifies": False}, REFUSED), ({"origin": "https://evil.test"}, REFUSED), ({"site": "evil.test"}, REFUSED)],
)
def test_what_is_not_verified_or_of_another_site_does_not_sign_in(client, owner, passkey, changed, words):
    """F-5: the flags, the origin and the hash of the site are checked; a passkey of another site is refused."""
    vars(passkey).update(changed)
    sign_in_with(client, passkey)
    assert not is_signed_in(client)
    assert words in page(client)
    assert AuditEvent.objects.filter(kind="sign_in.failed", data__factor="passkey").exists()


def test_the_type_of_the_answer_is_checked(client, owner, passkey):
    """F-5: an answer to a registration is none to a sign-in."""
    client.post(SIGN_IN, {"assertion": passkey.get(options(client, OPTIONS), kind="webauthn.create")})
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "answer", ["", "x", "[]", "{}", '{"rawId": 1, "response": {}}', '{"response": []}', "9" * 20000]
)
def test_nonsense_is_refused_kindly(client, owner, answer):
    options(client, OPTIONS)
    assert client.post(SIGN_IN, {"assertion": answer}).status_code == 302
    assert not is_signed_in(client)


def test_an_answer_passes_once(client, owner, passkey):
    """F-5: replay a response."""
    answer = passkey.get(options(client, OPTIONS))
    client.post(SIGN_IN, {"assertion": answer})
    client.post("/sign-out/")
    client.post(SIGN_IN, {"assertion": answer})
    assert not is_signed_in(client)
    assert LATE in page(client)


def test_an_answer_does_not_pass_again_though_its_challenge_were_back(client, owner, passkey):
    """F-5: whoever keeps the cookie of a challenge can send it again; the passkey remembers by itself."""
    # Synchronised passkeys do not count.
    passkey.counter = -1
    Passkey.objects.update(sign_count=0)
    asked = options(client, OPTIONS)
    kept = client.cookies["passkey"].value
    answer = passkey.get(asked)
    client.post(SIGN_IN, {"assertion": answer})
    assert is_signed_in(client)
    visitor = Client()
    options(visitor, OPTIONS)
    visitor.cookies["passkey"] = kept
    visitor.post(SIGN_IN, {"assertion": answer})
    assert not is_signed_in(visitor)


@pytest.mark.django_db(transaction=True)
def test_eight_requests_with_one_answer_open_one_session(race, client, owner):
    """F-5: one use, also under concurrency, of a passkey that does not count."""
    passkey = SoftPasskey()
    passkey.enrolled(owner.user)
    passkey.counter = -1
    answer = passkey.get(options(client, OPTIONS))
    cookie = client.cookies["passkey"].value

    def post(_: int) -> bool:
        visitor = Client(raise_request_exception=False)
        visitor.cookies["passkey"] = cookie
        return visitor.post(SIGN_IN, {"assertion": answer}).headers.get("Location") == "/inbox/"

    assert sorted(race(post, 8)) == [False] * 7 + [True]
    assert Session.objects.filter(user=owner.user).count() == 1


def test_a_challenge_lives_five_minutes(client, owner, passkey):
    """F-5: on the server, whatever the browser allows."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        asked = options(client, OPTIONS)
        clock.shift(timedelta(minutes=5))
        client.post(SIGN_IN, {"assertion": passkey.get(asked)})
        assert not is_signed_in(client)
        asked = options(client, OPTIONS)
        clock.shift(timedelta(minutes=4, seconds=59))
        client.post(SIGN_IN, {"assertion": passkey.get(asked)})
        assert is_signed_in(client)


def test_a_stranger_who_answers_must_name_themselves(client, owner, passkey):
    """fault security-L10: WebAuthn 7.2 step 6: a discoverable passkey sends its userHandle."""
    answer = json.loads(passkey.get(options(client, OPTIONS)))
    del answer["response"]["userHandle"]
    client.post(SIGN_IN, {"assertion": json.dumps(answer)})
    assert not is_signed_in(client)


def test_a_challenge_for_a_stranger_cannot_be_made_by_them(client, owner, passkey):
    """fault security-M6: it is kept by the browser, under the portal's signature."""
    asked = options(client, OPTIONS)
    value = client.cookies["passkey"].value
    client.cookies["passkey"] = value[:-1] + ("A" if value[-1] != "A" else "B")
    client.post(SIGN_IN, {"assertion": passkey.get(asked)})
    assert not is_signed_in(client)


def test_a_challenge_is_long_and_new_each_time(client):
    """F-5: at least 16 bytes."""
    first, second = options(client, OPTIONS), options(client, OPTIONS)
    assert first["challenge"] != second["challenge"]
    assert len(raw(first["challenge"])) >= 16
    assert first["userVerification"] == "required"
    assert first["rpId"] == "localhost"


def test_a_counter_that_went_back_is_refused_and_recorded(client, owner, passkey):
    """F-5: as of a copy."""
    Passkey.objects.update(sign_count=9)
    sign_in_with(client, passkey)
    assert not is_signed_in(client)
    event = AuditEvent.objects.filter(kind="sign_in.failed").latest("pk")
    assert event.data["reason"] == webauthn.COUNTER_WENT_BACK
    assert event.subject_id == owner.pk


def test_the_handle_must_be_the_owners(client, owner, ben, passkey):
    passkey.handle = ben.user.handle.bytes
    sign_in_with(client, passkey)
    assert not is_signed_in(client)


def test_a_passkey_still_signs_in_while_passwords_are_throttled(client, owner, passkey):
    """SI-5: a stranger cannot lock a member out."""
    for _ in range(6):
        client.post("/sign-in/", {"email": owner.user.email, "password": "not the right one"})
    sign_in_with(client, passkey)
    assert is_signed_in(client)
