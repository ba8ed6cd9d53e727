"""A request that this version cannot read, or does not know, stops nobody: it fails at the next touch (DESIGN R5)."""

import logging

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils.html import escape

from policies import payload
from policies.changes import (
    ask_again,
    cancel,
    cancel_all,
    cancel_and_expire,
    cancel_unrightful,
    execute,
    expire,
    expire_due,
    transitions,
)
from policies.models import ChangeRequest, Grant, State
from policies.readability import LEFT_FOR, UNKNOWN_OPERATION, UNREADABLE
from policies.workflows import Workflow
from portal.core.database.migrating import release
from portal.core.errors import Conflict
from tests.policies.conftest import again, ask_send, ask_tidy, no, page, yes
from tests.policies.operations import marks

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL
KINDS = pytest.mark.parametrize("kind", ["another version", "not registered"])
REASONS = {"another version": UNREADABLE, "not registered": UNKNOWN_OPERATION}


def made_elsewhere(change, kind):
    """As another version of the portal would have written it: its digest is that of the row."""
    change = again(change)
    if kind == "another version":
        change.params = {**change.params, "tier": "gold"}
    else:
        change.operation = "tests.gone"
    change.digest = payload.digest(change)
    change.save(update_fields=["params", "operation", "digest"])
    return change


@pytest.fixture
def waiting(house):
    house.policy(WITHDRAWAL, 2)
    return ask_send(house, house.ana)


def is_over(change, kind) -> bool:
    """Whether it failed with the reason; what can be given back was."""
    change = again(change)
    given_back = marks("released", change) == (1 if kind == "another version" else 0)
    return (change.state, change.reason) == (State.FAILED, REASONS[kind]) and given_back


@KINDS
@pytest.mark.parametrize("decision", [yes, no])
def test_a_decision_ends_it(house, waiting, kind, decision):
    """fault rules-E."""
    change = made_elsewhere(waiting, kind)
    with pytest.raises(Conflict, match=r"another version|does not know"):
        decision(change, house.ben)
    assert is_over(change, kind)


@KINDS
def test_taking_it_back_ends_it_and_says_so(house, waiting, kind):
    """fault rules-E."""
    change = made_elsewhere(waiting, kind)
    with pytest.raises(Conflict, match=r"another version|does not know"):
        cancel(change.reference, actor=house.ana)
    assert is_over(change, kind)


@KINDS
def test_the_brake_on_its_initiator_ends_it_and_the_others(house, waiting, kind):
    """fault rules-E."""
    change, other = made_elsewhere(waiting, kind), ask_tidy(house.ana)
    cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive)
    assert is_over(change, kind)
    assert again(other).state == State.CANCELLED


@KINDS
def test_less_rights_for_its_initiator_end_it_and_the_others(house, waiting, kind):
    """fault rules-E."""
    change, other = made_elsewhere(waiting, kind), ask_tidy(house.ana)
    Grant.objects.filter(member=house.ana).delete()
    assert cancel_unrightful(initiator=house.ana, actor=house.olive) == 2
    assert is_over(change, kind)
    assert again(other).state == State.CANCELLED


@KINDS
def test_its_expiry_ends_it_and_stops_no_later_one(house, waiting, kind):
    """fault rules-E."""
    change, later = made_elsewhere(waiting, kind), ask_tidy(house.ana)
    with time_machine.travel(later.expires_at, tick=False):
        expire_due()
        assert expire(change.reference).state == State.FAILED
    assert is_over(change, kind)
    assert again(later).state == State.EXPIRED


@KINDS
def test_past_its_time_a_decision_or_cancellation_ends_it_as_failed(house, waiting, kind):
    """fault rules-E."""
    change, other = made_elsewhere(waiting, kind), made_elsewhere(ask_send(house, house.ana), kind)
    with time_machine.travel(other.expires_at, tick=False):
        with pytest.raises(Conflict, match=r"another version|does not know"):
            yes(change, house.ben)
        with pytest.raises(Conflict, match=r"another version|does not know"):
            cancel(other.reference, actor=house.ana)
    assert is_over(change, kind)
    assert is_over(other, kind)


@pytest.fixture
def later_release(monkeypatch):
    """A node of a later release serves beside this one, and has migrated."""
    if connection.vendor == "postgresql":
        release.note("99.0")
    else:
        # One process serves an SQLite database: there nobody notes it.
        monkeypatch.setattr(release, "noted", lambda: "99.0")


def test_beside_a_later_release_what_is_not_known_here_is_left_to_it(house, waiting, later_release, caplog):
    """It alone can ask how it went, and give back what it holds."""
    change, other = made_elsewhere(waiting, "not registered"), ask_tidy(house.ana)
    for touch in (
        lambda: yes(change, house.ben),
        lambda: no(change, house.ben),
        lambda: cancel(change.reference, actor=house.ana),
    ):
        with pytest.raises(Conflict, match="done by that one alone"):
            touch()
    ChangeRequest.objects.filter(pk=change.pk).update(state=State.APPROVED)
    with pytest.raises(Conflict, match="done by that one alone"):
        execute(change.reference)
    cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive)
    assert again(change).state == State.APPROVED
    assert again(other).state == State.CANCELLED
    ChangeRequest.objects.filter(pk=change.pk).update(state=State.PENDING)
    with time_machine.travel(change.expires_at, tick=False):
        assert expire_due() == 0
    assert (again(change).state, again(change).decisions.count()) == (State.PENDING, 0)
    assert "Could not" not in caplog.text


def test_it_is_not_left_for_ever(house, waiting, later_release):
    """Where the portal went back to the release before, nobody comes who knows it."""
    change = made_elsewhere(waiting, "not registered")
    with time_machine.travel(change.expires_at + LEFT_FOR, tick=False):
        expire_due()
    assert (again(change).state, again(change).reason) == (State.FAILED, UNKNOWN_OPERATION)


def test_what_is_known_here_ends_beside_a_later_release_as_ever(house, waiting, later_release):
    cancel(waiting.reference, actor=house.ana)
    assert (again(waiting).state, marks("released", waiting)) == (State.CANCELLED, 1)


@KINDS
def test_its_initiator_can_still_ask_for_something_else(house, waiting, kind):
    """fault rules-E."""
    change = made_elsewhere(waiting, kind)
    assert ask_tidy(house.ana).state == State.PENDING
    with time_machine.travel(change.expires_at, tick=False):
        assert ask_tidy(house.ana, "the cellar").state == State.PENDING
    assert is_over(change, kind)


@KINDS
def test_it_is_not_asked_again_but_told_why(house, waiting, kind):
    """fault rules-E."""
    change = made_elsewhere(waiting, kind)
    with pytest.raises(Conflict):
        yes(change, house.ben)
    with pytest.raises(Conflict, match=r"another version|does not know"):
        ask_again(change.reference, member=house.ana)


@KINDS
def test_pages_show_it_in_words(asked, ana, ben, kind, browser):
    """fault rules-E."""
    bots = made_elsewhere(asked, kind)
    change = made_elsewhere(ask_tidy(ana), kind)
    approver, asker = browser(ben), browser(ana)
    for client, shown in ((approver, bots), (approver, change), (asker, change)):
        text = page(client, shown)
        assert "This version of the portal cannot read this request." in text
        assert REASONS[kind] in text
        # It is called what it was called when it was asked.
        assert f"<h1>{escape(again(shown).heading)}</h1>" in text
    for client, tab in ((approver, "waiting"), (approver, "viewable"), (asker, "asked")):
        assert change.title in client.get(reverse("policies:inbox"), {"tab": tab}).content.decode()
    chosen = {"change": f"{change.reference}:{change.digest}", "decision": "reject"}
    assert approver.get(reverse("policies:batch"), chosen).status_code == 200
    said = asker.post(reverse("policies:cancel", args=[change.reference]), follow=True).content.decode()
    assert REASONS[kind] in said
    assert "is cancelled" not in said
    assert asker.get(reverse("policies:ask_again", args=[change.reference])).status_code == 200
    assert change.title in approver.get(reverse("policies:inbox"), {"tab": "done"}).content.decode()
    assert approver.get(reverse("policies:inbox_count")).status_code == 200


def test_an_altered_one_of_another_version_keeps_its_hold(house, waiting):
    """The digest is that of the row as it was asked: somebody wrote into it."""
    waiting.params["tier"] = "gold"
    waiting.save(update_fields=["params"])
    cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive)
    assert again(waiting).state == State.CANCELLED
    assert marks("released", waiting) == 0


@pytest.fixture
def broken(monkeypatch, house):
    """Ending the first of three requests meets something that nobody foresaw."""
    first = ask_tidy(house.ana, "the attic")
    others = [ask_tidy(house.ana, "the cellar"), ask_tidy(house.ana, "the shed")]
    end = transitions.end

    def stumble(change, *args, **kwargs):
        if change.pk == first.pk:
            ChangeRequest.objects.filter(pk=change.pk).update(number=others[0].number)
        end(change, *args, **kwargs)

    monkeypatch.setattr(transitions, "end", stumble)
    return first, others


@pytest.mark.parametrize("loop", ["brake", "rights", "room", "clock"])
def test_one_that_cannot_be_ended_stops_none_of_the_others(house, broken, loop, caplog):
    """fault rules-E: one savepoint for each, so that not even a database error reaches beyond its own request."""
    first, others = broken
    caplog.set_level(logging.CRITICAL)
    with time_machine.travel(first.created_at if loop in ("brake", "rights") else others[1].expires_at, tick=False):
        if loop == "brake":
            cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive)
        elif loop == "rights":
            Grant.objects.filter(member=house.ana).delete()
            cancel_unrightful(initiator=house.ana, actor=house.olive)
        elif loop == "room":
            ask_tidy(house.ana, "the roof")
        else:
            cancel_and_expire.expire_due()
    assert first.state == State.PENDING
    assert {again(other).state for other in others} <= {State.CANCELLED, State.EXPIRED}
