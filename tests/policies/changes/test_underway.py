"""A run that only begins what goes on outside the database: approved until it is known how that went (DESIGN R8)."""

import pytest
from django.core import mail
from django.utils import timezone

from policies.changes import ask_again, cancel_all, cancel_unrightful, execute
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import Grant, State
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Refused
from portal.jobs.worker import run_ready
from tests.policies.conftest import again, ask_send, no, shown, yes
from tests.policies.operations import mark, marks, silent

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture
def underway(house):
    silent.clear()
    house.policy(WITHDRAWAL, 1)
    return yes(ask_send(house, house.ana, fault="underway"), house.ben)


def kinds(change) -> list[str]:
    rows = AuditEvent.objects.filter(subject_kind="changerequest", subject_id=change.pk)
    return list(rows.order_by("pk").values_list("kind", flat=True))


def test_what_it_wrote_is_kept_and_the_request_stays_approved(underway):
    change = again(underway)
    assert (change.state, change.ended_at) == (State.APPROVED, None)
    assert marks("begun", change) == 1
    assert kinds(change) == ["change.requested", "change.approved"]


def test_asked_again_it_is_not_begun_again(underway):
    ask_unknown_again()
    assert execute(underway.reference).state == State.APPROVED
    assert marks("begun", underway) == 1
    assert marks("released", underway) == 0


def test_known_to_be_done_it_is_executed_once(underway):
    mark("sent", underway)
    assert execute(underway.reference).state == State.EXECUTED
    with pytest.raises(Conflict):
        execute(underway.reference)
    assert kinds(underway)[-1:] == ["change.executed"]
    assert marks("released", underway) == 0


def test_failed_for_certain_it_ends_so_with_the_reason_and_gives_back(underway):
    mark("broke", underway)
    change = execute(underway.reference)
    assert (change.state, change.reason) == (State.FAILED, "EFunding:Max fee exceeded")
    assert marks("released", change) == 1
    assert kinds(change)[-1:] == ["change.failed"]


def test_failed_for_certain_says_its_reason_whatever_became_of_who_asked(house, underway):
    mark("broke", underway)
    Grant.objects.filter(member=house.ana).delete()
    assert execute(underway.reference).state == State.FAILED


def test_whoever_asked_is_told_when_it_has_ended_not_before(house, underway):
    run_ready()
    mail.outbox.clear()
    execute(underway.reference)
    run_ready()
    assert mail.outbox == []
    mark("broke", underway)
    execute(underway.reference)
    run_ready()
    assert [sent.to for sent in mail.outbox] == [[house.ana.user.email]]


def test_what_ends_the_requests_of_who_asked_leaves_it_alone(house, underway):
    assert cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive) == 0
    type(house.ana).objects.filter(pk=house.ana.pk).update(suspended_at=timezone.now())
    Grant.objects.filter(member=house.ana).delete()
    assert cancel_unrightful(initiator=house.ana, actor=house.olive) == 0
    assert execute(underway.reference).state == State.APPROVED
    assert marks("released", underway) == 0
    mark("sent", underway)
    assert execute(underway.reference).state == State.EXECUTED


def test_it_can_no_longer_be_decided(house, underway):
    with pytest.raises(Conflict, match="already approved"):
        no(again(underway), house.cleo)


def test_done_at_once_it_is_underway_when_asking_returns(house):
    """P2: a member with Execute, where no policy asks for more."""
    change = ask_send(house, house.olive, fault="underway")
    assert (again(change).state, change.state) == (State.APPROVED, State.APPROVED)
    assert marks("begun", change) == 1
    assert kinds(change) == ["change.requested"]
    mark("sent", change)
    assert execute(change.reference).state == State.EXECUTED


def test_asked_again_alone_it_takes_a_second_factor_of_its_own_as_well(house):
    """SU-2: what one person sends at once has left our hands when it is underway."""
    house.policy(WITHDRAWAL, 1)
    change = no(ask_send(house, house.olive, fault="underway"), house.ben)
    house.policy(WITHDRAWAL, 1, always=False)
    with pytest.raises(Refused, match="second factor"):
        ask_again(change.reference, member=house.olive)
    anew = ask_again(change.reference, member=house.olive, proof=shown(change))
    assert (anew.state, marks("begun", anew)) == (State.APPROVED, 1)
