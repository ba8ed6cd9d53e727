"""What nobody knows of is settled by two people: one says what became of it, another one agrees."""

from typing import Any

import pytest
from django.urls import reverse

from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, DomainError, Invalid, Refused
from portal.venues.kraken.models import Alarm, Step
from portal.venues.kraken.settle.params import Outcome, Settle
from portal.venues.kraken.settle.settling import settle_withdrawal
from tests.factories import people
from tests.gateway.proxy import faults

pytestmark = pytest.mark.django_db
NOTHING: dict[str, Any] = {"withdrawals": [], "next_cursor": None}
HIDDEN = faults.changed(lambda _: NOTHING)


@pytest.fixture
def unknown(real, later):
    """Not sent, and nobody knows."""
    return lose(real, later, faults.cut_before)


@pytest.fixture
def gone(real, later):
    """Sent, and the exchange does not list it."""
    return lose(real, later, faults.answer_lost)


def lose(real, later, fault):
    change = real.agreed()
    real.proxy.on("Withdraw", fault, times=1)
    real.proxy.on("WithdrawStatus", HIDDEN, times=4)
    for seconds in (0, 61, 121, 601):
        with later(seconds):
            real.tend()
    assert real.step(change) == Step.UNKNOWN
    return change


def says(real, change, outcome, refid="", by="ana"):
    params = Settle(real.account.pk, change.withdrawal.reference, outcome, refid)
    return propose(settle_withdrawal, actor=real.world.members[by], params=params)


def agrees(real, settling, *names, approved=True):
    for name in names or ("ben", "cleo"):
        member, proof = real.world.members[name], people.proof(settling)
        settling = decide(
            settling.reference, member=member, approved=approved, digest=settling.digest, proof=proof, reason="No."
        )
    return settling


@pytest.fixture(autouse=True)
def _commits(django_capture_on_commit_callbacks, request):
    with django_capture_on_commit_callbacks(execute=True):
        yield


def settled(real, change, outcome, django_capture_on_commit_callbacks, refid=""):
    with django_capture_on_commit_callbacks(execute=True):
        done = agrees(real, says(real, change, outcome, refid))
    assert done.state == State.EXECUTED
    return done


def test_it_went_out_under_this_reference(real, gone, django_capture_on_commit_callbacks):
    (there,) = real.there()
    settled(real, gone, Outcome.WENT_OUT, django_capture_on_commit_callbacks, there["refid"])
    row = real.row(gone)
    assert (row.step, row.refid, real.state(gone)) == (Step.ACCEPTED, there["refid"], State.EXECUTED)
    assert len(real.there()) == 1


def test_it_did_not_and_is_given_up(real, unknown, django_capture_on_commit_callbacks):
    settled(real, unknown, Outcome.GIVE_UP, django_capture_on_commit_callbacks)
    unknown.refresh_from_db()
    assert (unknown.state, real.step(unknown)) == (State.FAILED, Step.RELEASED)
    assert "given up" in unknown.reason
    assert real.balance().held_by_withdrawals_units == 0


def test_it_did_not_and_is_sent_again_once_under_a_new_nonce(real, unknown, django_capture_on_commit_callbacks):
    before = real.row(unknown).nonce
    settled(real, unknown, Outcome.SEND_AGAIN, django_capture_on_commit_callbacks)
    for _ in range(2):
        real.tend()
    row = real.row(unknown)
    assert (row.step, row.attempts, len(real.there())) == (Step.ACCEPTED, 2, 1)
    assert row.nonce > before
    assert real.state(unknown) == State.EXECUTED


def test_to_be_sent_again_it_is_looked_for_first_and_adopted_if_it_is_there(
    real, gone, django_capture_on_commit_callbacks
):
    """People were wrong: the exchange lists it by now."""
    settled(real, gone, Outcome.SEND_AGAIN, django_capture_on_commit_callbacks)
    real.tend()
    assert (real.step(gone), len(real.there())) == (Step.ACCEPTED, 1)
    assert len(real.proxy.requests("Withdraw")) == 1


def test_while_that_look_does_not_hear_the_exchange_it_is_not_sent(
    real, unknown, later, django_capture_on_commit_callbacks
):
    settled(real, unknown, Outcome.SEND_AGAIN, django_capture_on_commit_callbacks)
    real.proxy.on("WithdrawStatus", faults.page(502, executed=False), times=1)
    real.tend()
    assert (real.step(unknown), real.there()) == (Step.INTENDED, [])
    with later(11):
        real.tend()
    assert (real.step(unknown), len(real.there())) == (Step.ACCEPTED, 1)


def test_it_never_runs_at_once_even_for_who_may_execute(real, unknown):
    settling = says(real, unknown, Outcome.GIVE_UP, by="owner")
    assert settling.state == State.PENDING
    assert settling.approvals_required >= 1
    with pytest.raises(Refused):
        agrees(real, settling, "owner")


def test_one_rejection_leaves_it_unknown(real, unknown):
    agrees(real, says(real, unknown, Outcome.GIVE_UP), "ben", approved=False)
    assert (real.step(unknown), real.state(unknown)) == (Step.UNKNOWN, State.APPROVED)


def test_who_only_approves_or_views_cannot_ask(real, unknown):
    for name in ("ben", "audit"):
        with pytest.raises(Refused):
            says(real, unknown, Outcome.GIVE_UP, by=name)


def test_what_a_late_look_has_found_needs_nobody_any_more(real, gone, later):
    settling = says(real, gone, Outcome.SEND_AGAIN)
    with later(3601):
        real.tend()
    assert real.step(gone) == Step.ACCEPTED
    with pytest.raises(Conflict, match="stale"):
        agrees(real, settling, "ben")
    with pytest.raises(Conflict, match="known by now"):
        says(real, gone, Outcome.SEND_AGAIN)
    assert len(real.there()) == 1


@pytest.mark.parametrize("refid", ["", "two words", "x" * 65, "ünïcode"])
def test_a_reference_that_is_none(real, gone, refid):
    with pytest.raises(Invalid):
        says(real, gone, Outcome.WENT_OUT, refid)


def test_a_reference_of_another_withdrawal(real, gone):
    other = real.agreed("2")
    real.tend()
    with pytest.raises(Invalid, match="another withdrawal"):
        says(real, gone, Outcome.WENT_OUT, real.row(other).refid)


def test_a_reference_where_none_belongs(real, gone):
    with pytest.raises(Invalid):
        says(real, gone, Outcome.GIVE_UP, "ABC")


def test_it_is_in_the_history(real, unknown, django_capture_on_commit_callbacks):
    settled(real, unknown, Outcome.GIVE_UP, django_capture_on_commit_callbacks)
    event = AuditEvent.objects.get(kind="withdrawal.settled")
    assert (event.data["outcome_said"], event.data["change"]) == ("give-up", unknown.reference)


def test_another_organizations_is_as_unknown_as_none(real, unknown, world):
    params = Settle(real.account.pk, unknown.withdrawal.reference, Outcome.GIVE_UP)
    eve = next(member for name, member in world.members.items() if name == "eve")
    with pytest.raises(DomainError):
        propose(settle_withdrawal, actor=eve, params=params)


# --- The page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(unknown) -> str:
    return reverse("kraken:unknown_withdrawal", args=[unknown.withdrawal.reference])


def test_the_page_shows_what_was_sent_and_every_look(real, page, client, ana, sign_in, unknown):
    sign_in(client, ana)
    text = client.get(page).content.decode()
    row = real.row(unknown)
    for said in (str(row.nonce), row.address, "1.25 BTC", "Look again now", "Say what became of it", "Attempt 1"):
        assert said in text
    assert text.count("It listed no withdrawal of this asset since then.") == 4


def test_it_is_reached_from_the_withdrawal_and_from_its_request(page, client, ana, sign_in, unknown):
    sign_in(client, ana)
    for name, reference in (
        ("treasury:withdrawal", unknown.withdrawal.reference),
        ("policies:request", unknown.reference),
    ):
        assert page in client.get(reverse(name, args=[reference])).content.decode()


def test_who_approves_sees_the_evidence_and_no_form(page, client, ben, sign_in):
    sign_in(client, ben)
    text = client.get(page).content.decode()
    assert "What was sent" in text
    assert 'name="outcome"' not in text
    assert client.post(page, {"outcome": "give-up"}).status_code == 403


def test_asking_by_page_leads_to_the_request(real, page, client, ana, sign_in, code, unknown):
    sign_in(client, ana)
    sent = client.post(page, {"outcome": "give-up", "refid": "", "note": "Seen nowhere.", "code": code(ana)})
    settling = ChangeRequest.objects.get(operation="kraken.settle_withdrawal")
    assert sent.url == reverse("policies:request", args=[settling.reference])
    text = client.get(sent.url).content.decode()
    assert "it did not go out; give it up" in text
    assert page in text


def test_bad_input_is_said_on_the_page(page, client, ana, sign_in, code):
    sign_in(client, ana)
    sent = client.post(page, {"outcome": "went-out", "refid": "", "note": "", "code": code(ana)})
    assert "Write the reference that the exchange gave it" in sent.content.decode()
    assert client.post(page, {"outcome": "maybe", "code": code(ana)}).status_code == 200
    assert not ChangeRequest.objects.filter(operation="kraken.settle_withdrawal").exists()


def test_another_organization_finds_no_page(real, page, client, world, sign_in):
    sign_in(client, world.members["eve"])
    assert client.get(page).status_code == 404
    assert client.post(page + "look/").status_code == 404


def test_look_again_looks_now(real, gone, client, ana, sign_in, later):
    with later(620):
        sign_in(client, ana)
        client.post(reverse("kraken:look_again", args=[gone.withdrawal.reference]))
        real.tend()
    assert real.step(gone) == Step.ACCEPTED


def test_pressing_again_and_again_brings_no_more_looks(real, unknown, client, ana, sign_in, later):
    """Each is a call under the credential that sends, and whoever may view may press."""
    with later(620):
        sign_in(client, ana)
        looks = len(real.looks(unknown))
        for _ in range(4):
            client.post(reverse("kraken:look_again", args=[unknown.withdrawal.reference]))
            real.tend()
        assert len(real.looks(unknown)) == looks + 1


def test_what_was_never_sent_has_no_such_page(real, client, ana, sign_in):
    change = real.ask()
    sign_in(client, ana)
    assert client.get(reverse("kraken:unknown_withdrawal", args=[change.withdrawal.reference])).status_code == 404


def test_the_alarm_leads_to_the_withdrawal(unknown):
    assert Alarm.objects.get().subject == unknown.withdrawal.reference
