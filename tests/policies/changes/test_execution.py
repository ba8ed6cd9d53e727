"""Carrying out: exactly once, only what was agreed to, and only by those who still count (DESIGN R4, R8)."""

import json

import pytest
from django.db import connection

from policies.changes import execute
from policies.models import ChangeRequest, Grant, State
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.core.errors import Conflict, Refused
from tests.policies.conftest import again, ask_send, ask_tidy, events, yes
from tests.policies.operations import marks, mended

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def test_a_run_that_fails_keeps_its_decisions_and_gives_back(house):
    house.policy(WITHDRAWAL, 1)
    change = ask_send(house, house.ana, fault="insufficient")
    failed = yes(change, house.ben)
    assert (failed.state, failed.reason) == (State.FAILED, "The run met a insufficient.")
    assert (marks("ran", change), marks("released", change)) == (0, 1)
    assert change.decisions.count() == 1


def test_an_outcome_not_known_yet_is_asked_again_and_runs_once(house):
    """CR-13: what could not be carried out stays approved, is asked again under its reference, and runs once."""
    house.policy(WITHDRAWAL, 1)
    change = ask_send(house, house.ana, fault="unavailable")
    assert yes(change, house.ben).state == State.APPROVED
    assert execute(change.reference).state == State.APPROVED
    assert (marks("ran", change), marks("released", change)) == (0, 0)
    mended.add("unavailable")
    assert execute(change.reference).state == State.EXECUTED
    with pytest.raises(Conflict):
        execute(change.reference)
    assert marks("ran", change) == 1


def test_what_waits_is_not_executed_by_asking(house):
    change = ask_tidy(house.ana)
    with pytest.raises(Conflict, match="pending"):
        execute(change.reference)


def test_an_altered_row_never_runs(house):
    """CR-1: the payload row updated directly: the run refuses, and the history says so."""
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    with connection.cursor() as cursor:
        forged = json.dumps({"account_id": house.account.pk, "amount": "9000", "fault": ""})
        cursor.execute("UPDATE policies_changerequest SET params = %s WHERE id = %s", [forged, change.pk])
    with pytest.raises(Refused, match="not what was asked"):
        yes(change, house.cleo)
    assert again(change).state == State.PENDING
    assert marks("ran", change) == 0
    assert events(change)[-1] == EventKind.CHANGE_REFUSED
    assert change.decisions.count() == 1


def test_fewer_approvals_cannot_be_written_into_the_row(house):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    ChangeRequest.objects.filter(pk=change.pk).update(approvals_required=0)
    with pytest.raises(Refused):
        yes(change, house.ben)


def test_a_yes_of_who_lost_eligibility_stops_counting(house):
    """CR-7: an approver removed between yes and run: the request goes on waiting."""
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    Grant.objects.filter(member=house.ben).delete()
    assert yes(change, house.cleo).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED


def test_an_approved_one_goes_back_to_waiting_when_a_yes_stops_counting(house):
    house.policy(WITHDRAWAL, 1)
    change = ask_send(house, house.ana, fault="unavailable")
    yes(change, house.ben)
    Grant.objects.filter(member=house.ben).delete()
    mended.add("unavailable")
    assert execute(change.reference).state == State.PENDING
    assert marks("ran", change) == 0
    assert yes(change, house.cleo).state == State.EXECUTED


@pytest.mark.parametrize(("then", "now", "needed"), [(2, 1, 2), (2, None, 2), (1, 3, 3), (2, 2, 2)])
def test_the_stricter_of_then_and_now_holds(house, then, now, needed):
    """CR-8: the policy weakened, removed, tightened and left while the request waits."""
    policy = house.policy(WITHDRAWAL, then)
    change = ask_send(house, house.ana)
    if now is None:
        policy.delete()
    else:
        house.policy(WITHDRAWAL, now)
    approvers = [house.ben, house.cleo, house.fay]
    states = [yes(change, member).state for member in approvers[:needed]]
    assert states == [State.PENDING] * (needed - 1) + [State.EXECUTED]
