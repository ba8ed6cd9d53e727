"""Several requests decided together: one second factor for exactly these, one Decision for each (DESIGN R9)."""

import pytest
from django.urls import reverse

from policies.changes import cancel
from policies.inbox.batches import BATCH, MONEY_ALONE, Seen, binding, decide_all
from policies.models import ChangeRequest, Decision, State
from portal.audit.models import AuditEvent
from portal.core.errors import Refused
from portal.core.web.http import Proof
from tests.factories.people import proof
from tests.policies.conftest import again, ask_send, ask_tidy, yes

URL = reverse("policies:batch")


def seen(change) -> Seen:
    return Seen(change.reference, change.digest)


def shown(chosen, *, approved) -> Proof:
    fresh = proof()
    return Proof(factor=fresh.factor, at=fresh.at, change=BATCH, digest=binding(chosen, approved=approved))


def asking(changes, decision):
    return {"change": [change.reference for change in changes], "decision": decision}


def answer(changes, decision, **more):
    pairs = [f"{change.reference}:{change.digest}" for change in changes]
    return {"change": pairs, "decision": decision, "reason": "", "code": "", **more}


@pytest.fixture
def several(asked, ana) -> list[ChangeRequest]:
    """The bot's withdrawal and two things about access."""
    return [asked, ask_tidy(ana, "the shelf"), ask_tidy(ana, "the attic", note="<b>now</b>")]


def test_several_are_rejected_with_one_reason_and_one_code(several, ben, browser, code):
    """SU-2: one challenge for exactly these; each Decision is bound to its own digest."""
    client = browser(ben)
    before = AuditEvent.objects.filter(kind="step_up.succeeded").count()
    got = client.post(URL, answer(several, "reject", reason="Not this week.", code=code(ben)))
    assert got.url.startswith(reverse("policies:inbox"))
    assert [again(change).state for change in several] == [State.REJECTED] * 3
    assert {(one.change_id, one.digest, one.reason) for one in Decision.objects.all()} == {
        (change.pk, change.digest, "Not this week.") for change in several
    }
    assert AuditEvent.objects.filter(kind="step_up.succeeded").count() == before + 1
    text = client.get(got.url).content.decode()
    assert "3 requests rejected." in text
    for change in several:
        assert f"{change.number} " in text


def test_the_page_lists_all_of_them_with_digest_and_words_before_it_asks(several, ben, browser):
    """SU-3: each by operation, initiator and short digest, from the stored request."""
    text = browser(ben).get(URL, asking(several, "reject")).content.decode()
    for change in several:
        for part in (
            change.title,
            change.initiator_label,
            change.digest,
            " ".join((change.digest[:4], change.digest[4:8])),
        ):
            assert part in text
    assert "1.25" in text
    assert "&lt;b&gt;now" in text
    assert "Authentication code" in text


def test_what_moves_money_is_approved_alone(several, ben, browser, code):
    """SU-2: a Decision about money takes a challenge of its own."""
    client = browser(ben)
    page = client.get(URL, asking(several, "approve")).content.decode()
    assert "Money is approved one request at a time." in page
    assert f'value="{several[0].reference}:' not in page
    got = client.post(URL, answer(several, "approve", code=code(ben)))
    text = client.get(got.url).content.decode()
    assert "2 requests approved." in text
    assert MONEY_ALONE in text
    assert [again(change).state for change in several] == [State.PENDING, State.EXECUTED, State.EXECUTED]
    assert not several[0].decisions.exists()


def test_approving_together_always_asks_for_the_second_factor(several, ben, browser):
    """SU-1: the sign-in of a minute ago does not serve for several at once."""
    got = browser(ben).post(URL, answer(several[1:], "approve"))
    assert got.status_code == 200
    assert not Decision.objects.exists()


def test_each_is_told_what_came_of_it(several, ana, ben, cleo, browser, code):
    client = browser(ben)
    cancel(several[1].reference, actor=ana)
    yes(several[0], ben)
    got = client.post(URL, answer(several, "reject", reason="No.", code=code(ben)))
    text = client.get(got.url).content.decode()
    assert "1 request rejected." in text
    assert "2 requests not rejected." in text
    assert "You have already decided this request." in text
    assert "already cancelled by Ana Ruiz" in text
    assert again(several[2]).state == State.REJECTED


def test_one_that_failed_is_not_counted_among_what_is_done(ana, ben, browser, code):
    """Each line says what came of its own request."""
    good, bad = ask_tidy(ana, "the shelf"), ask_tidy(ana, "the attic", fault="conflict")
    client = browser(ben)
    text = client.post(URL, answer([good, bad], "approve", code=code(ben)), follow=True).content.decode()
    assert f"{good.number} Tidy the shelf: Executed." in text
    assert f"{bad.number} Tidy the attic: Approved, but it failed: The run met a conflict." in text


def test_a_rejection_that_does_not_end_it_says_so(ana, ben, browser, code):
    """R5: what only takes power away goes on while enough are left."""
    change = ask_tidy(ana, takes=True)
    sent = answer([change], "reject", reason="He is a friend.", code=code(ben))
    text = browser(ben).post(URL, sent, follow=True).content.decode()
    assert "Your rejection is recorded. It only takes power away, so it goes on" in text
    assert again(change).state == State.PENDING


def test_one_that_changed_since_is_left_alone(several, ben):
    """CR-6: a stale version."""
    chosen = [Seen(several[1].reference, "0" * 64), seen(several[2])]
    outcomes = decide_all(chosen, member=ben, approved=False, proof=shown(chosen, approved=False), reason="No.")
    assert [bool(outcome.refusal) for outcome in outcomes] == [True, False]
    assert "not the request as it stands" in outcomes[0].refusal
    assert not several[1].decisions.exists()


@pytest.mark.parametrize("other", ["more", "fewer", "the other answer", "one request", "none"])
def test_a_second_factor_for_other_requests_does_not_serve(several, ben, other):
    """SU-2: step up for A, post a Decision for B."""
    chosen = [seen(change) for change in several[1:]]
    proofs = {
        "more": shown([seen(change) for change in several], approved=False),
        "fewer": shown(chosen[:1], approved=False),
        "the other answer": shown(chosen, approved=True),
        "one request": proof(several[1]),
        "none": proof(),
    }
    with pytest.raises(Refused):
        decide_all(chosen, member=ben, approved=False, proof=proofs[other], reason="No.")
    assert not Decision.objects.exists()


def test_a_wrong_code_loses_nothing_typed_and_nothing_chosen(several, ben, browser, code):
    client = browser(ben)
    text = client.post(URL, answer(several, "reject", reason="The week is over.", code="12345")).content.decode()
    assert "The week is over." in text
    for change in several:
        assert f'value="{change.reference}:{change.digest}"' in text
    spent = code(ben)
    assert "Say why" in client.post(URL, answer(several, "reject", code=spent)).content.decode()
    assert client.post(URL, answer(several, "reject", reason="Now.", code=spent)).status_code == 302


def test_reading_never_decides(several, ben, browser):
    """CR-16: the link of the list, followed."""
    before = AuditEvent.objects.count()
    assert browser(ben).get(URL, {**asking(several, "approve"), "code": "123456"}).status_code == 200
    assert [again(change).state for change in several] == [State.PENDING] * 3
    assert AuditEvent.objects.exclude(kind__startswith="sign_in").count() <= before


def test_nobody_chooses_what_does_not_wait_for_them(several, ana, eve, audit, browser, code):
    """AZ-2, AZ-7: a foreign reference is as unknown as one that never was, and none of it is shown."""
    for member in (ana, eve, audit):
        client = browser(member)
        text = client.get(URL, asking(several, "reject")).content.decode()
        assert "None of them can be decided together now." in text
        assert several[0].title not in text
        client.post(URL, answer(several, "reject", reason="No.", code=code(member)))
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"decision": "approve"},
        {"change": "x", "decision": "maybe"},
        {"change": ["\u202e", "x" * 5000, "%FF", ":"], "decision": "reject"},
        {"change": [f"unknown{n}" for n in range(60)], "decision": "reject"},
    ],
)
def test_nonsense_in_the_address_decides_nothing(several, ben, browser, query):
    """IN-3: what comes from outside is a closed set."""
    assert browser(ben).get(URL, query).status_code in (200, 302)


def test_more_than_fit_are_left_for_later(several, ben, browser, monkeypatch):
    monkeypatch.setattr("policies.views.batch.MOST_TOGETHER", 2)
    text = browser(ben).get(URL, asking(several, "reject")).content.decode()
    assert text.count('name="change"') == 2
    assert "1 of those you chose is not here." in text
    assert "no more than 2 are decided together" in text


def test_more_than_fit_sent_all_the_same_decide_nothing(several, ben, browser, monkeypatch, code):
    """Said on the page, with the reason that was typed."""
    monkeypatch.setattr("policies.inbox.batches.MOST_TOGETHER", 2)
    text = browser(ben).post(URL, answer(several, "reject", reason="Not now.", code=code(ben))).content.decode()
    assert "At most 2 requests are decided together." in text
    assert "Not now." in text
    assert not Decision.objects.exists()


def test_an_altered_request_is_not_among_them(several, ben, browser):
    """CR-1: what is not what was asked any more is not decided."""
    ChangeRequest.objects.filter(pk=several[1].pk).update(params={"what": "the safe"})
    text = browser(ben).get(URL, asking(several, "reject")).content.decode()
    assert text.count('name="change"') == 2
    assert several[1].reference not in text


def test_the_list_offers_a_box_for_each_that_can_be_chosen(several, ben, audit, browser):
    text = browser(ben).get(reverse("policies:inbox")).content.decode()
    assert " ".join(text.split()).count('type="checkbox" name="change"') == 3
    assert 'type="checkbox"' not in browser(ben).get(reverse("policies:inbox") + "?tab=viewable").content.decode()
    assert 'type="checkbox"' not in browser(audit).get(reverse("policies:inbox")).content.decode()


@pytest.mark.parametrize("approved", [True, False])
def test_a_house_of_rules_agrees(house, approved):
    """CR-3: nobody decides what they asked, also among others."""
    mine, other = ask_tidy(house.olive, "mine"), ask_tidy(house.ana, "other")
    money = ask_send(house, house.ana)
    chosen = [seen(change) for change in (mine, other, money)]
    outcomes = decide_all(
        chosen, member=house.olive, approved=approved, proof=shown(chosen, approved=approved), reason="So."
    )
    assert [bool(outcome.refusal) for outcome in outcomes] == [True, False, approved]
    assert not mine.decisions.exists()


def test_one_that_may_not_be_decided_leaves_an_event(several, ana, ben):
    """fault security-L10: a single refused Decision does, of several none did."""
    mine = [seen(change) for change in several[1:]]
    (outcome, *_) = decide_all(mine, member=ana, approved=True, proof=shown(mine, approved=True))
    assert outcome.refusal
    denied = AuditEvent.objects.filter(kind="access.denied", actor_id=ana.pk)
    assert [event.subject_id for event in denied.order_by("pk")] == [change.pk for change in several[1:]]
    assert {event.outcome for event in denied} == {"refused"}
    assert {event.data["reason"] for event in denied} == {outcome.refusal}
