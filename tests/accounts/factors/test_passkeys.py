"""Passkeys: made, signed in with and shown again; each answer for one challenge, one purpose, and once."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.factors import webauthn
from accounts.models import Authenticator, Passkey, Session
from policies.models import ChangeRequest, Decision
from policies.snapshot import gather, person
from portal.audit.models import AuditEvent
from portal.treasury.models import Address
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.authenticator import SoftPasskey, raw
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
OPTIONS, SIGN_IN, STEP_UP, NEW = (
    "/sign-in/passkey/options/",
    "/sign-in/passkey/",
    "/security/passkey/",
    "/enrol/passkey/options/",
)
LATE = "That took too long"
REFUSED = "This passkey was not accepted"


@pytest.fixture
def passkey(owner):
    """A passkey of the Owner."""
    made = SoftPasskey()
    made.enrolled(owner.user)
    return made


@pytest.fixture
def money(world, ana, account):
    """A withdrawal that waits for two approvals."""

    def ask(amount="0.25") -> ChangeRequest:
        return request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal(amount))

    return ask


def options(client, path, **data):
    answer = client.post(path, data)
    assert answer.status_code == 200, answer.content
    return answer.json()


def sign_in_with(client, made):
    return client.post(SIGN_IN, {"assertion": made.get(options(client, OPTIONS))})


def is_signed_in(client):
    return client.get("/inbox/").status_code == 200


def page(client, path="/sign-in/"):
    return client.get(path).content.decode()


def register(client, made, name="Phone"):
    return client.post("/enrol/passkey/", {"name": name, "answer": made.create(options(client, NEW))}, follow=True)


def decide(client, change, made, *, shown_for=None):
    asked = shown_for or change
    step_up = options(client, STEP_UP, change=asked.reference, digest=asked.digest)
    return post_decision(client, change, made.get(step_up))


def post_decision(client, change, assertion):
    form = {"decision": "approve", "digest": change.digest, "assertion": assertion, "reason": ""}
    return client.post(f"/requests/{change.reference}/decide/", form, follow=True)


# --- Signing in ---


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


# --- Making one ---


def test_a_passkey_is_made_and_signs_in_from_then_on(client, owner, sign_in):
    sign_in(client, owner)
    made = SoftPasskey()
    assert "“Phone” is a second factor of yours now" in register(client, made).content.decode()
    assert Passkey.objects.get(user=owner.user).name == "Phone"
    visitor = Client()
    sign_in_with(visitor, made)
    assert is_signed_in(visitor)


def test_making_one_asks_for_a_verified_person_and_names_nobody(client, owner, sign_in):
    """F-5, F-6: UV required; `user.id` is random and stable, neither address nor key."""
    sign_in(client, owner)
    asked, again = options(client, NEW), options(client, NEW)
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    handle = raw(asked["user"]["id"])
    assert handle == raw(again["user"]["id"]) == owner.user.handle.bytes
    assert owner.user.email.encode() not in handle
    assert handle != str(owner.user.pk).encode()
    assert len(handle) == 16


@pytest.mark.parametrize("changed", [{"verifies": False}, {"origin": "https://evil.test"}, {"site": "evil.test"}])
def test_what_is_not_verified_or_of_another_site_is_not_kept(client, owner, sign_in, changed):
    """F-5: at registration too."""
    sign_in(client, owner)
    made = SoftPasskey()
    vars(made).update(changed)
    assert REFUSED in register(client, made).content.decode()
    assert not Passkey.objects.exists()


def test_the_answer_to_a_registration_passes_once(client, owner, sign_in):
    """F-5: replay a response."""
    sign_in(client, owner)
    answer = SoftPasskey().create(options(client, NEW))
    client.post("/enrol/passkey/", {"name": "One", "answer": answer})
    client.post("/enrol/passkey/", {"name": "Two", "answer": answer})
    assert Passkey.objects.get().name == "One"


def test_a_credential_belongs_to_one_person(client, owner, ben, sign_in, passkey):
    """F-6: the page refuses it kindly, and the constraint holds around the form."""
    sign_in(client, ben)
    copy = SoftPasskey(id=passkey.id)
    assert "known here already" in register(client, copy).content.decode()
    assert not Passkey.objects.filter(user=ben.user).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        SoftPasskey(id=passkey.id).enrolled(ben.user)


# --- Stepping up ---


def test_a_passkey_approves_money(client, ben, money):
    """SU-2: bound to that request and its digest."""
    change, made = money(), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    decide(client, change, made)
    decision = Decision.objects.get(change=change)
    assert (decision.member, decision.approved, decision.factor) == (ben, True, "passkey")


def test_a_passkey_shown_for_one_request_does_not_decide_another(client, ben, money):
    """SU-2: step up for A, post a Decision for B."""
    first, second, made = money("0.25"), money("0.5"), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    text = decide(client, second, made, shown_for=first).content.decode()
    assert LATE in text
    assert not Decision.objects.exists()


def test_one_challenge_makes_one_decision(client, ben, money):
    """SU-2: it opens no window for others, and is used up."""
    first, second, made = money("0.25"), money("0.5"), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    step_up = options(client, STEP_UP, change=first.reference, digest=first.digest)
    answer = made.get(step_up)
    post_decision(client, first, answer)
    post_decision(client, second, answer)
    assert [decision.change for decision in Decision.objects.all()] == [first]


def test_an_answer_from_the_sign_in_is_none_at_a_step_up(client, ben, money):
    """F-5: use a sign-in assertion at step-up."""
    change, made = money(), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    text = post_decision(client, change, made.get(options(client, OPTIONS))).content.decode()
    assert LATE in text
    assert not Decision.objects.exists()


def test_a_step_up_without_a_verified_person_is_refused(client, ben, money):
    """F-5: at the third of the three ceremonies."""
    change, made = money(), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    made.verifies = False
    assert REFUSED in decide(client, change, made).content.decode()
    assert not Decision.objects.exists()
    assert AuditEvent.objects.filter(kind="step_up.failed", data__factor="passkey").exists()


def test_somebody_elses_passkey_is_no_step_up(client, ben, cleo, money):
    change, made, other = money(), SoftPasskey(), SoftPasskey()
    made.enrolled(ben.user)
    other.enrolled(cleo.user)
    sign_in_with(client, made)
    assert REFUSED in decide(client, change, other).content.decode()
    assert not Decision.objects.exists()


def test_the_key_changes_with_a_step_up(client, ben, money):
    """SU-4: a copy of the older cookie fails."""
    change, made = money(), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    copy = Client()
    copy.cookies["session"] = client.cookies["session"].value
    assert is_signed_in(copy)
    decide(client, change, made)
    assert is_signed_in(client)
    assert not is_signed_in(copy)


def test_the_page_of_a_step_up_says_what_is_agreed_to(client, ben, money):
    """SU-3: from the stored request, not from the address."""
    change, made = money(), SoftPasskey()
    made.enrolled(ben.user)
    sign_in_with(client, made)
    text = page(client, f"/requests/{change.reference}/?amount=99&asset=ETH")
    panel = text[text.index('id="decide"') :]
    assert panel.index("Use passkey") < panel.index("Authentication code")
    for word in ("0.25", "BTC", Address.objects.get(key="btc-cold", organization=ben.organization).key, "Ana Ruiz"):
        assert word in panel, word
    assert f'data-digest="{change.digest}"' in panel
    assert "ETH" not in panel[: panel.index("</form>")]


def test_where_no_money_moves_a_step_up_serves_for_five_minutes(client, owner, passkey):
    """SU-1: 5:01 later: asked again."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in_with(client, passkey)
        clock.shift(timedelta(minutes=5, seconds=1))
        assert "Use passkey" in page(client, "/security/recovery-codes/")
        answer = passkey.get(options(client, STEP_UP))
        assert client.post("/security/confirm/?next=/security/", {"assertion": answer}).url == "/security/"
        clock.shift(timedelta(minutes=4, seconds=59))
        assert "Use passkey" not in page(client, "/security/recovery-codes/")
        clock.shift(timedelta(seconds=2))
        assert "Use passkey" in page(client, "/security/recovery-codes/")


def test_a_passkey_still_signs_in_while_passwords_are_throttled(client, owner, passkey):
    """SI-5: a stranger cannot lock a member out."""
    for _ in range(6):
        client.post("/sign-in/", {"email": owner.user.email, "password": "not the right one"})
    sign_in_with(client, passkey)
    assert is_signed_in(client)


def test_a_passkey_counts_among_the_facts(owner, ben, money):
    """F-12: where only passkeys count, who has none cannot approve, and who has one can."""
    SoftPasskey().enrolled(ben.user)
    Authenticator.objects.filter(user=ben.user).delete()
    facts = gather(ben.organization)
    found, other = person(facts, ben.pk), person(facts, owner.pk)
    assert found is not None
    assert other is not None
    assert (found.factors, other.factors) == (frozenset({"passkey"}), frozenset({"totp"}))
