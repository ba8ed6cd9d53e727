"""The life of a request, from asking to its end (DESIGN R1 to R8)."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Custodian
from policies.changes import cancel, cancel_all, decide, execute, expire, expire_due, propose
from policies.models import ChangeRequest, Decision, Grant, State
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Insufficient, Invalid, NotFound, Refused, Unavailable
from tests.policies.conftest import ask_send, ask_tidy, no, shown, total_marks, yes
from tests.policies.operations import Tidy, marks, mended, tidy

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def events(change) -> list[str]:
    return list(
        AuditEvent.objects.filter(subject_kind="changerequest", subject_id=change.pk)
        .order_by("sequence")
        .values_list("kind", flat=True)
    )


def again(change) -> ChangeRequest:
    return ChangeRequest.objects.with_parties().get(pk=change.pk)


def test_who_may_finish_alone_does_so_in_the_transaction_of_asking(house):
    change = ask_tidy(house.olive)
    assert (change.state, marks("ran", change)) == (State.EXECUTED, 1)
    assert (change.ended_by, change.receipt) == ("Olive", "Tidy the shelf: done.")
    assert events(change) == [EventKind.CHANGE_REQUESTED, EventKind.CHANGE_EXECUTED]


def test_a_failure_at_once_goes_to_who_asked_and_leaves_nothing(house):
    with pytest.raises(Conflict, match="met a conflict"):
        ask_tidy(house.olive, fault="conflict")
    assert not ChangeRequest.objects.exists()
    assert not AuditEvent.objects.exists()
    assert total_marks() == 0


def test_what_opening_refuses_leaves_nothing(house):
    house.policy(WITHDRAWAL, 2)
    with pytest.raises(Insufficient):
        ask_send(house, house.ana, "too much")
    assert not ChangeRequest.objects.exists()
    assert not AuditEvent.objects.exists()


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


def test_numbers_count_within_the_organization(house, next_door):
    next_door.member("zoe", Right.EXECUTE)
    assert [ask_tidy(house.olive, what).number for what in ("a", "b")] == [1, 2]
    assert ask_tidy(next_door.zoe).number == 1


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


def test_what_is_unavailable_at_once_goes_to_who_asked(house):
    with pytest.raises(Unavailable):
        ask_tidy(house.olive, fault="unavailable")
    assert not ChangeRequest.objects.exists()


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


def test_an_altered_row_gives_back_nothing_when_it_ends(house):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    ChangeRequest.objects.filter(pk=change.pk).update(amount="11")
    cancel(change.reference, actor=house.ana)
    assert marks("released", change) == 0
    assert EventKind.CHANGE_REFUSED in events(change)


def test_fewer_approvals_cannot_be_written_into_the_row(house):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    ChangeRequest.objects.filter(pk=change.pk).update(approvals_required=0)
    with pytest.raises(Refused):
        yes(change, house.ben)


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
    """CR-3: the initiator never decides, in any role, also through a bot they made or another key of it."""
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
    for used in (key, second):
        change = ask_send(house, used.service_user, api_key=used)
        for name in ("ben", "cleo", "fay"):
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


def test_past_its_time_it_is_expired_though_no_job_has_run(house):
    """CR-12: with the clock past its time and no job, a yes writes the expiry, gives back, and is refused."""
    house.policy(WITHDRAWAL, 1, open_hours=1)
    change = ask_send(house, house.ana)
    with time_machine.travel(change.expires_at, tick=False):
        assert again(change).shown_state == State.EXPIRED
        with pytest.raises(Conflict, match="expired"):
            yes(change, house.ben)
        expire(change.reference)
    assert again(change).state == State.EXPIRED
    assert (marks("ran", change), marks("released", change)) == (0, 1)
    assert events(change)[-1] == EventKind.CHANGE_EXPIRED


def test_within_its_time_it_cannot_be_expired(house):
    change = ask_tidy(house.ana)
    with time_machine.travel(change.expires_at - timedelta(seconds=1), tick=False):
        with pytest.raises(Conflict):
            expire(change.reference)
        assert expire_due() == 0
    with time_machine.travel(change.expires_at, tick=False):
        assert expire_due() == 1
        assert expire_due() == 0


def test_who_asked_may_take_it_back_and_nobody_else(house, next_door):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    for name in ("ben", "olive", "otto"):
        with pytest.raises(Refused):
            cancel(change.reference, actor=house.people[name])
    with pytest.raises(NotFound):
        cancel(change.reference, actor=next_door.eve)
    ended = cancel(change.reference, actor=house.ana, reason="Not needed.")
    assert (ended.state, ended.ended_by, marks("released", change)) == (State.CANCELLED, "Ana", 1)
    with pytest.raises(Conflict):
        cancel(change.reference, actor=house.ana)
    assert marks("released", change) == 1


def test_a_bots_request_is_taken_back_by_the_bot_or_by_a_custodian(house):
    house.policy(WITHDRAWAL, 2)
    key, other = house.bot(), house.bot("other-bot", made_by="ben")
    first, second = (ask_send(house, key.service_user, api_key=key) for _ in range(2))
    for stranger in (other.service_user, house.ana, house.ben):
        with pytest.raises(Refused):
            cancel(first.reference, actor=stranger)
    assert cancel(first.reference, actor=key.service_user).ended_by == "treasury-bot"
    assert cancel(second.reference, actor=house.olive).ended_by == "Olive"


def test_another_organization_sees_no_request(house, next_door):
    """AZ-2: a foreign reference is unknown."""
    change = ask_tidy(house.ana)
    with pytest.raises(NotFound):
        yes(change, next_door.eve)


def test_another_organizations_account_and_member_are_unknown(house, next_door):
    """AZ-3: another Organization's primary keys are not found."""
    with pytest.raises(NotFound):
        ask_tidy(house.ana, about=next_door.eve.pk)
    with pytest.raises(NotFound):
        ask_tidy(house.olive, withdraw_from=next_door.account.pk)
    with pytest.raises(NotFound):
        ask_send(next_door, house.ana)


def test_a_rejected_one_is_not_asked_again_within_the_hour(house):
    change = ask_tidy(house.ana)
    no(change, house.ben)
    with pytest.raises(Conflict, match="less than an hour"):
        ask_tidy(house.ana)
    ask_tidy(house.ana, "another shelf")
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert ask_tidy(house.ana).state == State.PENDING


def test_rejected_money_may_be_asked_again_at_once(house):
    house.policy(WITHDRAWAL, 1)
    no(ask_send(house, house.ana), house.ben)
    assert ask_send(house, house.ana).state == State.PENDING


def test_the_same_is_open_once_for_each_initiator(house):
    first = ask_tidy(house.ana)
    with pytest.raises(Conflict, match="request 1"):
        ask_tidy(house.ana)
    house.member("ida", Right.INITIATE)
    ask_tidy(house.ida)
    with time_machine.travel(first.expires_at, tick=False):
        assert ask_tidy(house.ana).state == State.PENDING
    assert again(first).state == State.EXPIRED


def test_twenty_may_be_open_for_a_member(house):
    for number in range(20):
        ask_tidy(house.ana, f"shelf {number}")
    with pytest.raises(Conflict, match="20 requests"):
        ask_tidy(house.ana, "one more")


def test_fifty_may_be_open_for_a_key(house):
    house.policy(WITHDRAWAL, 2)
    key = house.bot()
    for _ in range(50):
        ask_send(house, key.service_user, api_key=key)
    with pytest.raises(Conflict, match="50 requests"):
        ask_send(house, key.service_user, api_key=key)


@pytest.mark.parametrize("loss", ["grant", "suspended", "unverified", "disabled"])
def test_an_initiator_who_lost_what_asking_takes_loses_the_request(house, loss):
    """CR-7: the initiator is still active and still permitted at each Decision."""
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    if loss == "grant":
        Grant.objects.filter(member=house.ana, workflow=WITHDRAWAL).delete()
    elif loss == "suspended":
        type(house.ana).objects.filter(pk=house.ana.pk).update(suspended_at=timezone.now())
    elif loss == "unverified":
        type(house.ana).objects.filter(pk=house.ana.pk).update(identity="submitted")
    else:
        type(house.ana.user).objects.filter(pk=house.ana.user_id).update(is_active=False)
    with pytest.raises(Conflict, match="cancelled"):
        yes(change, house.cleo)
    assert again(change).state == State.CANCELLED
    assert (marks("ran", change), marks("released", change)) == (0, 1)


@pytest.mark.parametrize("loss", ["permission", "suspended", "revoked"])
def test_a_bot_that_lost_what_asking_takes_loses_the_request(house, loss):
    house.policy(WITHDRAWAL, 2)
    key = house.bot()
    change = ask_send(house, key.service_user, api_key=key)
    if loss == "permission":
        type(key.service_user).objects.filter(pk=key.service_user_id).update(permissions=["query-funds"])
    elif loss == "suspended":
        type(key.service_user).objects.filter(pk=key.service_user_id).update(suspended_at=timezone.now())
    else:
        type(key).objects.filter(pk=key.pk).update(revoked_at=timezone.now(), is_active=False)
    with pytest.raises(Conflict, match="cancelled"):
        yes(change, house.ben)
    assert again(change).state == State.CANCELLED
    assert marks("released", change) == 1


def test_a_key_that_merely_expires_leaves_its_request(house):
    house.policy(WITHDRAWAL, 1)
    key = house.bot()
    change = ask_send(house, key.service_user, api_key=key)
    type(key).objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert yes(change, house.ben).state == State.EXECUTED


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


def test_brakes_cancel_all_that_waits(house):
    house.policy(WITHDRAWAL, 2)
    key, other = house.bot(), house.bot("other-bot")
    mine = [ask_send(house, key.service_user, api_key=key) for _ in range(2)]
    kept = ask_send(house, other.service_user, api_key=other)
    assert cancel_all(api_key=key, reason="The key was revoked.", actor=house.olive) == 2
    assert {again(change).state for change in mine} == {State.CANCELLED}
    assert [marks("released", change) for change in mine] == [1, 1]
    assert again(kept).state == State.PENDING
    assert cancel_all(initiator=other.service_user, reason="Suspended.", actor=house.olive) == 1
    waiting = ask_tidy(house.ana)
    assert cancel_all(initiator=house.ana, reason="Suspended.", actor=house.olive) == 1
    assert again(waiting).reason == "Suspended."


def test_a_bot_asks_only_through_a_key_of_its_own_that_is_in_force(house):
    house.policy(WITHDRAWAL, 2)
    key, other = house.bot(), house.bot("other-bot")
    for wrong in (None, other):
        with pytest.raises(Refused, match="key of its own"):
            ask_send(house, key.service_user, api_key=wrong)
    type(key).objects.filter(pk=key.pk).update(expires_at=timezone.now())
    with pytest.raises(Refused, match="key of its own"):
        ask_send(house, key.service_user, api_key=key)


def test_a_bot_asks_for_nothing_but_what_its_permission_names(house):
    key = house.bot(permissions=("query-funds",))
    with pytest.raises(Refused, match="permission"):
        ask_send(house, key.service_user, api_key=key)
    key = house.bot("full-bot")
    with pytest.raises(Refused, match="permission"):
        propose(tidy, actor=key.service_user, params=Tidy("x"), api_key=key)


def test_what_has_ended_never_moves_whatever_writes_it(house):
    """CR-5: the database refuses a final request's new state, and any change or removal of a decision."""
    change = ask_tidy(house.ana)
    yes(change, house.ben)
    for sql in (
        "UPDATE policies_changerequest SET state = 'pending', ended_at = NULL",
        "UPDATE policies_decision SET approved = NOT approved",
        "DELETE FROM policies_decision",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert again(change).state == State.EXECUTED
