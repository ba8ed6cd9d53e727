"""Passkeys shown again: for one request and its digest, and what they count for."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Authenticator
from policies.models import ChangeRequest, Decision
from policies.snapshot import gather, person
from portal.audit.models import AuditEvent
from portal.treasury.models import Address
from portal.treasury.withdrawals import request_withdrawal
from tests.accounts.factors.passkeys import LATE, OPTIONS, REFUSED, STEP_UP, is_signed_in, options, page, sign_in_with
from tests.factories.authenticator import SoftPasskey

pytestmark = pytest.mark.django_db


@pytest.fixture
def money(world, ana, account):
    """A withdrawal that waits for two approvals."""

    def ask(amount="0.25") -> ChangeRequest:
        return request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal(amount))

    return ask


def decide(client, change, made, *, shown_for=None):
    asked = shown_for or change
    step_up = options(client, STEP_UP, change=asked.reference, digest=asked.digest)
    return post_decision(client, change, made.get(step_up))


def post_decision(client, change, assertion):
    form = {"decision": "approve", "digest": change.digest, "assertion": assertion, "reason": ""}
    return client.post(f"/requests/{change.reference}/decide/", form, follow=True)


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


def test_a_passkey_counts_among_the_facts(owner, ben, money):
    """F-12: where only passkeys count, who has none cannot approve, and who has one can."""
    SoftPasskey().enrolled(ben.user)
    Authenticator.objects.filter(user=ben.user).delete()
    facts = gather(ben.organization)
    found, other = person(facts, ben.pk), person(facts, owner.pk)
    assert found is not None
    assert other is not None
    assert (found.factors, other.factors) == (frozenset({"passkey"}), frozenset({"totp"}))
