"""Recovery codes: shown once, each passes once, and all they open is the way to a new factor."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.authentication import session_data
from accounts.authentication.session_store import SessionStore
from accounts.factors import recovery_codes
from accounts.factors.enrolled import kind_of, mark_of
from accounts.models import Authenticator, Organization, Passkey, RecoveryCode, Session
from accounts.models.organization import SecondFactorLevel
from accounts.security import factor_changes
from policies.models import Decision
from portal.audit.models import AuditEvent
from portal.core.errors import Refused
from portal.core.secrets.sealing import digest
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import also_in
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
RECOVERY, VERIFY, CODES = "/sign-in/recovery/", "/sign-in/code/", "/security/recovery-codes/"
SHAPE = re.compile(r"<code translate=\"no\">([A-Z2-9-]{27})</code>")


def password_step(client, member):
    client.post("/sign-in/", {"email": member.user.email, "password": PASSWORD})


def recover(client, member, code):
    password_step(client, member)
    return client.post(RECOVERY, {"code": code})


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 1_000_000:06d}"


def test_there_are_ten_and_each_is_long(owner):
    """F-7: ten, at least 112 bits each, so that a plain digest keeps them."""
    codes = recovery_codes.issue(owner.user)
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) * 5 >= 112 for code in codes)
    assert recovery_codes.remaining(owner) == 10


def test_a_dump_shows_no_code(owner, tmp_path):
    """F-7: only digests are kept."""
    codes = recovery_codes.issue(owner.user)
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump), verbosity=0)
    text = dump.read_text()
    assert not any(code in text or code.replace("-", "") in text for code in codes)
    assert digest(codes[0].replace("-", "")) in text


def test_a_code_passes_once_however_it_is_written(owner):
    """F-7: one use."""
    first, second, third, *_ = recovery_codes.issue(owner.user)
    assert recovery_codes.use(owner.user, first)
    assert not recovery_codes.use(owner.user, first)
    assert recovery_codes.use(owner.user, second.lower().replace("-", ""))
    assert recovery_codes.use(owner.user, f" {third.replace('-', ' ')} ")
    assert recovery_codes.remaining(owner) == 7


def test_a_code_is_of_one_person(owner, ben):
    assert not recovery_codes.use(ben.user, recovery_codes.issue(owner.user)[0])


def test_a_new_set_kills_the_old(owner):
    """F-7: the codes of before are dead."""
    old = recovery_codes.issue(owner.user)
    recovery_codes.issue(owner.user)
    assert not recovery_codes.use(owner.user, old[0])
    assert RecoveryCode.objects.filter(user=owner.user).count() == 10


@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_one_code_have_one_success(race, owner):
    """F-7: 8 threads, one code."""
    code = recovery_codes.issue(owner.user)[0]
    answers = race(lambda _: recovery_codes.use(owner.user, code), 8)
    assert sorted(bool(answer) for answer in answers) == [False] * 7 + [True]


def test_a_code_signs_in_warns_and_leads_to_repair(client, owner, mailed):
    """F-7: signs in, mails, and leads to factor repair."""
    code, second, *_ = recovery_codes.issue(owner.user)
    told = mailed(lambda: recover(client, owner, code))
    assert ["A recovery code was used" in mail.subject + mail.body for mail in told] == [True]
    assert code not in told[0].body
    assert second not in told[0].body
    assert Session.objects.get().factor == "recovery"
    answer = client.get("/members/", follow=True)
    assert answer.redirect_chain == [("/enrol/", 302)]
    assert "9 are left" in answer.content.decode()
    assert AuditEvent.objects.filter(kind="sign_in.succeeded", data__factor="recovery").exists()


def test_a_code_never_approves(client, owner, ben, ana, account):
    """F-7: try to approve afterwards."""
    change = request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal("0.25"))
    code, spare, *_ = recovery_codes.issue(ben.user)
    recover(client, ben, code)
    form = {"decision": "approve", "digest": change.digest, "reason": "", "code": spare}
    assert client.post(f"/requests/{change.reference}/decide/", form).url == "/enrol/"
    assert client.get(f"/requests/{change.reference}/").url == "/enrol/"
    assert "proved_at" not in client.session
    answer = client.post("/security/confirm/", {"code": spare})
    assert answer.status_code == 200
    assert not Decision.objects.exists()


def test_who_finds_the_old_factor_again_shows_it_and_goes_on(client, owner, code):
    recover(client, owner, recovery_codes.issue(owner.user)[0])
    assert client.post("/security/confirm/", {"code": code(owner)}).url == "/inbox/"
    assert client.get("/inbox/").status_code == 200


def test_a_wrong_code_does_not_say_which_part_was_wrong(client, owner):
    """F-11: neither whether there are codes, nor whether it was used."""
    texts: set[str] = set()
    used = recovery_codes.issue(owner.user)[0]
    recovery_codes.use(owner.user, used)
    for code in (used, "A" * 24, "nonsense"):
        answer = recover(Client(), owner, code)
        texts.add(*re.findall(r'class="error"[^>]*>([^<]*)', answer.content.decode()))
    assert len(texts) == 1


def test_switching_the_device_does_not_end_the_wait(client, owner, code):
    """F-11: 5 bad codes of the app, then a recovery code: still delayed."""
    recovery = recovery_codes.issue(owner.user)[0]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            visitor = Client()
            password_step(visitor, owner)
            right = code(owner)
            visitor.post(VERIFY, {"code": wrong(right)})
        password_step(client, owner)
        answer = client.post(RECOVERY, {"code": recovery})
        assert "Too many wrong codes. Wait" in answer.content.decode()
        assert recovery_codes.remaining(owner) == 10
        clock.shift(timedelta(minutes=4))
        assert client.post(RECOVERY, {"code": recovery}).status_code == 302


def test_five_wrong_codes_end_the_sign_in(client, owner):
    """SI-2: whatever they were."""
    password_step(client, owner)
    for _ in range(4):
        assert client.post(RECOVERY, {"code": "A" * 24}).status_code == 200
    assert client.post(RECOVERY, {"code": "A" * 24}).url == "/sign-in/"


def test_the_page_shows_ten_codes_once_and_no_cache_keeps_them(client, owner, sign_in, mailed):
    """F-7: shown once; SE-3: not stored by anything on the way."""
    sign_in(client, owner)
    assert SHAPE.findall(client.get(CODES).content.decode()) == []
    answers = []
    told = mailed(lambda: answers.append(client.post(CODES)))
    codes = SHAPE.findall(answers[0].content.decode())
    assert len(codes) == 10
    assert "no-store" in answers[0].headers["Cache-Control"]
    assert answers[0].headers["Referrer-Policy"] == "no-referrer"
    assert SHAPE.findall(client.get(CODES).content.decode()) == []
    assert not any(code in mail.body for mail in told for code in codes)
    assert recovery_codes.use(owner.user, codes[3])


def test_new_codes_take_a_fresh_factor(client, owner, sign_in, code):
    """F-8: fresh and stale session."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=5, seconds=1))
        assert client.post(CODES).status_code == 200
        assert not RecoveryCode.objects.exists()
        client.post(CODES, {"code": code(owner)})
        assert RecoveryCode.objects.count() == 10


def test_no_codes_are_made_for_a_place_that_asks_for_more_than_was_shown(world, owner):
    """An app must not make what opens an Organization that takes passkeys alone, whoever calls for it (F-8)."""
    Organization.objects.filter(pk=world.elsewhere.pk).update(second_factor_level=SecondFactorLevel.PASSKEY)
    there = also_in(world.elsewhere, owner.user)
    SoftPasskey().enrolled(owner.user)
    app = Authenticator.objects.get(user=owner.user)
    store = SessionStore()
    session_data.start(store, owner, factor=kind_of(app), mark=mark_of(app))
    with pytest.raises(Refused, match="Show a factor"):
        factor_changes.new_codes(owner, store)
    assert recovery_codes.remaining(there) == 0
    passkey = Passkey.objects.get(user=owner.user)
    session_data.note_proof(store, kind_of(passkey), mark_of(passkey))
    assert len(factor_changes.new_codes(owner, store)) == 10
    assert recovery_codes.remaining(there) == 10


def test_a_code_is_nobodys_way_around_a_lost_password(client, owner):
    recovery_codes.issue(owner.user)
    assert client.post(RECOVERY, {"code": "x"}).url == "/sign-in/"
    assert Authenticator.objects.filter(user=owner.user).exists()


def test_the_page_of_the_codes_is_as_guarded_as_that_of_a_secret(client, owner, sign_in):
    """SE-3: headers; masked after 60 s, nothing of it in the browser's storage; SE-5: text, in no input."""
    sign_in(client, owner)
    answer = client.post(CODES)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Pragma"] == "no-cache"
    text = answer.content.decode()
    assert 'data-reveal="60"' in text
    assert "js/reveal.js" in text
    assert "htmx.min.js" not in text
    assert not set(re.findall(r'value="([^"]*)"', text)) & set(SHAPE.findall(text))
    for button in ("data-print", "data-copy", "data-download", "data-show"):
        assert button in text, button
