"""Ending: taken back, expired, or cancelled with its initiator (DESIGN R2, R5)."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from policies.changes import ask_again, cancel, cancel_all, expire, expire_due
from policies.models import ChangeRequest, Grant, State
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.core import actors
from portal.core.errors import Conflict, NotFound, Refused
from tests.policies.conftest import again, ask_send, ask_tidy, events, yes
from tests.policies.operations import marks, mended

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def test_an_altered_row_gives_back_nothing_when_it_ends(house):
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    ChangeRequest.objects.filter(pk=change.pk).update(amount="11")
    cancel(change.reference, actor=house.ana)
    assert marks("released", change) == 0
    assert EventKind.CHANGE_REFUSED in events(change)


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
        type(key).objects.filter(pk=key.pk).update(revoked_at=timezone.now(), is_active=False, slot=None)
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


def test_the_command_does_what_only_time_brings_about(house, capsys):
    house.policy(WITHDRAWAL, 1)
    stuck = ask_send(house, house.ana, fault="unavailable")
    yes(stuck, house.ben)
    overdue = ask_tidy(house.ana)
    mended.add("unavailable")
    with time_machine.travel(overdue.expires_at, tick=False):
        call_command("expirechanges")
    assert capsys.readouterr().out == "Expired 1. Asked again for 1 approved, 1 of them executed.\n"
    assert (again(stuck).state, again(overdue).state) == (State.EXECUTED, State.EXPIRED)


def test_the_command_names_what_it_could_not_ask_again(house, capsys):
    """Whoever runs it by hand reads which request to look into, and why."""
    house.policy(WITHDRAWAL, 1)
    stuck = ask_send(house, house.ana, fault="unavailable")
    yes(stuck, house.ben)
    ChangeRequest.objects.filter(pk=stuck.pk).update(amount="11")
    call_command("expirechanges")
    told = capsys.readouterr()
    assert told.out == "Expired 0. Asked again for 1 approved, 0 of them executed.\n"
    assert told.err.startswith(f"{stuck.reference}: The stored request is not what was asked any more.")


def test_neither_the_operator_nor_the_portal_takes_a_request_back(house):
    """R5: only the side that asked; the operator's way are the brakes."""
    change = ask_tidy(house.ana)
    for actor in (actors.operator(house.organization.pk), actors.portal(house.organization.pk)):
        with pytest.raises(Refused):
            cancel(change.reference, actor=actor)
    assert again(change).state == State.PENDING


def test_a_brake_writes_of_what_was_over_that_it_had_expired(house):
    """What time has ended is not told as if the brake had."""
    house.policy(WITHDRAWAL, 2)
    change = ask_send(house, house.ana)
    with time_machine.travel(change.expires_at, tick=False):
        assert cancel_all(initiator=house.ana, reason="Suspended.", actor=house.olive) == 0
    assert (again(change).state, marks("released", change)) == (State.EXPIRED, 1)


def test_what_is_over_can_be_asked_again_before_any_job_has_written_it_down(house):
    """R8: nobody waits for a worker; the first one is expired then, and linked."""
    change = ask_tidy(house.ana)
    with time_machine.travel(change.expires_at, tick=False):
        anew = ask_again(change.reference, member=house.ana)
    assert again(change).state == State.EXPIRED
    assert (anew.asked_again_from, anew.params) == (change, change.params)


def test_what_was_altered_is_not_asked_again(house):
    """CR-1: nobody asks in good faith for what somebody else wrote into their request."""
    change = ask_tidy(house.ana)
    cancel(change.reference, actor=house.ana)
    ChangeRequest.objects.filter(pk=change.pk).update(params={"what": "the safe"})
    with pytest.raises(Refused, match="not what was asked any more"):
        ask_again(change.reference, member=house.ana)
    assert not ChangeRequest.objects.filter(asked_again_from=change).exists()
