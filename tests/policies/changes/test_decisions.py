"""Deciding: who may, with what, and how often (DESIGN R3, R5, R7)."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Custodian
from policies import payload
from policies.changes import decide
from policies.models import Decision, Grant, State
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from tests.policies.conftest import again, ask_send, ask_tidy, events, no, shown, yes
from tests.policies.operations import marks

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def test_the_last_yes_carries_it_out(house):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    assert change.receipt == "Send to the bank: asked as request 1.\nIt waits for 2 approvals."
    assert yes(change, house.ben).state == State.PENDING
    done = yes(change, house.cleo)
    assert (done.state, done.ended_by) == (State.EXECUTED, "Cleo")
    assert (marks("held", change), marks("ran", change), marks("released", change)) == (1, 1, 0)
    assert events(change) == [
        EventKind.CHANGE_REQUESTED,
        EventKind.CHANGE_APPROVED,
        EventKind.CHANGE_APPROVED,
        EventKind.CHANGE_EXECUTED,
    ]


def test_one_no_ends_it_with_a_reason_and_gives_back(house):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    ended = no(change, house.cleo, "The amount is wrong.")
    assert (ended.state, ended.reason, ended.ended_by) == (State.REJECTED, "The amount is wrong.", "Cleo")
    assert (marks("ran", change), marks("released", change)) == (0, 1)


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_no_needs_a_reason(house, reason):
    change = ask_tidy(house.ana)
    with pytest.raises(Invalid) as refused:
        no(change, house.ben, reason)
    assert refused.value.field == "reason"
    assert not Decision.objects.exists()


def test_a_decision_names_the_digest_it_saw(house):
    """CR-6: a stale version is refused."""
    change = ask_tidy(house.ana)
    with pytest.raises(Conflict, match="Read it again"):
        decide(change.reference, member=house.ben, approved=True, digest="0" * 64, proof=shown(change))
    with pytest.raises(Conflict, match="Read it again"):
        decide(change.reference, member=house.ben, approved=True, digest="é", proof=shown(change))


@pytest.mark.parametrize("name", ["olive", "ana", "otto"])
def test_who_may_not_decide_is_told_why(house, name):
    house.policy(WITHDRAWAL, 2)
    key = house.bot()
    change = ask_send(house, key.service_user, api_key=key)
    with pytest.raises(Refused) as refused:
        yes(change, house.people[name])
    assert "You cannot decide this" in refused.value.message
    with pytest.raises(Refused):
        no(change, house.people[name])
    assert again(change).state == State.PENDING


def test_nobody_decides_on_their_own_request(house):
    """CR-3: the initiator never decides, in any role, also through a bot they made, or a key they held the power of."""
    house.policy(WITHDRAWAL, 2)
    for right in Right:
        Grant.objects.get_or_create(member=house.ben, workflow=WITHDRAWAL, right=right)
    with pytest.raises(Refused, match="you asked for this"):
        yes(ask_send(house, house.ben), house.ben)
    key = house.bot(made_by="ben")
    second = house.key(key.service_user, "cleo")
    Custodian.objects.create(api_key=second, member=house.fay, since=timezone.now(), reason="revealed it")
    house.member("gus", Right.APPROVE)
    house.member("hal", Right.APPROVE)
    # The key that asked counts (R3): Ben holds nothing of the second one, and may judge what it asks.
    for used, barred in ((key, ["ben"]), (second, ["cleo", "fay"])):
        change = ask_send(house, used.service_user, api_key=used)
        for name in barred:
            with pytest.raises(Refused, match="the key that asks"):
                yes(change, house.people[name])
        yes(change, house.gus)
        assert yes(change, house.hal).state == State.EXECUTED


def test_the_subject_neither_approves_nor_rejects(house):
    change = ask_tidy(house.ana, about=house.ben.pk)
    for decision in (yes, no):
        with pytest.raises(Refused, match="about you"):
            decision(change, house.ben)


def test_one_decision_for_each_person(house):
    """CR-4: a double click is refused, around the form as well."""
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    with pytest.raises(Conflict, match="already decided"):
        yes(change, house.ben)
    first = change.decisions.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            change=change, member=house.ben, person=house.ben.user, approved=True, digest="", factor="", at=first.at
        )


def test_money_needs_a_factor_shown_for_this_very_request(house):
    """SU-2: step up for A, post a Decision for B."""
    house.policy(WITHDRAWAL, 1)
    first, second = ask_send(house, house.ana), ask_send(house, house.ana)

    def approve_with(proof):
        return decide(second.reference, member=house.ben, approved=True, digest=second.digest, proof=proof)

    for proof in (None, shown(), shown(first)):
        with pytest.raises(Refused) as refused:
            approve_with(proof)
        assert refused.value.field == "code"
    assert approve_with(shown(second)).state == State.EXECUTED


def test_a_factor_shown_five_minutes_ago_is_too_old(house):
    """SU-1: 5:01 later it is asked again."""
    change = ask_tidy(house.ana)
    old = shown()
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False), pytest.raises(Refused):
        decide(change.reference, member=house.ben, approved=True, digest=change.digest, proof=old)
    with time_machine.travel(timezone.now() + timedelta(minutes=4, seconds=50), tick=False):
        done = decide(change.reference, member=house.ben, approved=True, digest=change.digest, proof=old)
    assert done.state == State.EXECUTED


def test_a_factor_bound_elsewhere_serves_no_other_request(house):
    first, second = ask_tidy(house.ana, "a"), ask_tidy(house.ana, "b")
    with pytest.raises(Refused):
        decide(second.reference, member=house.ben, approved=True, digest=second.digest, proof=shown(first))


def test_another_organization_sees_no_request(house, next_door):
    """AZ-2: a foreign reference is unknown."""
    change = ask_tidy(house.ana)
    with pytest.raises(NotFound):
        yes(change, next_door.eve)


def denied(change) -> list[str]:
    rows = AuditEvent.objects.filter(kind=EventKind.ACCESS_DENIED.value, subject_id=change.pk)
    return [event.data["reason"] for event in rows]


@pytest.mark.parametrize("decision", [yes, no])
def test_who_was_refused_is_remembered_although_it_raises(house, decision):
    """The transaction that looked at the request writes it, whoever called: a page, several at once, or a command."""
    change = ask_tidy(house.ana)
    with pytest.raises(Refused) as refused:
        decision(change, house.ana)
    assert denied(change) == [refused.value.message]
    assert not Decision.objects.exists()


def test_a_decision_with_a_second_factor_for_something_else_is_remembered(house):
    change, other = ask_send(house, house.ana), ask_send(house, house.ana, "7")
    with pytest.raises(Refused) as refused:
        decide(change.reference, member=house.ben, approved=True, digest=change.digest, proof=shown(other))
    assert denied(change) == [refused.value.message]


def test_who_is_late_twice_or_gives_no_reason_is_not(house):
    house.policy(WITHDRAWAL, 3)
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    with pytest.raises(Conflict):
        yes(change, house.ben)
    with pytest.raises(Invalid):
        no(change, house.cleo, "")
    no(change, house.cleo)
    with pytest.raises(Conflict):
        no(change, house.fay)
    assert denied(change) == []


def test_the_params_are_read_once_under_the_lock(house, monkeypatch):
    """Once before it, for the histories that the run would reach; then every check looks at the same ones."""
    decode, read = payload.decode, []

    def counted(kind, stored):
        read.append(kind)
        return decode(kind, stored)

    monkeypatch.setattr(payload, "decode", counted)
    change = ask_tidy(house.ana)
    read.clear()
    assert yes(change, house.ben).state == State.EXECUTED
    assert len(read) == 2
