"""A suspension by one person: how long it lasts, who confirms it, and what it can never do (DESIGN §4)."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import brakes
from accounts.duties import record_lapsed_suspensions
from accounts.models import Member
from accounts.operations.membership import LiftMemberSuspension, lift_member_suspension
from accounts.operations.standing import LiftSuspension, lift_suspension
from accounts.suspensions import record_lapsed
from policies.access import allows
from policies.changes import propose
from policies.facts import gather
from policies.models import Grant, Policy, State
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused

pytestmark = pytest.mark.django_db
ACCESS = Workflow.MANAGE_ACCESS
DAYS_3 = timedelta(hours=72)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def again(member) -> Member:
    return Member.objects.select_related("user", "organization").get(pk=member.pk)


def counts(member) -> tuple[bool, bool, bool, bool]:
    """Every place that asks whether the member is suspended."""
    person = gather(member.organization).person(member.pk)
    return (
        again(member).is_active,
        Member.objects.active().filter(pk=member.pk).exists(),
        allows(member, ACCESS, Right.APPROVE),
        person is not None and person.is_active,
    )


def test_a_suspension_by_one_person_ends_by_the_clock_without_any_job(clock, ana, ben, client, sign_in):
    brakes.suspend_member(actor=ana, member=ben)
    clock.shift(DAYS_3 - timedelta(seconds=1))
    assert counts(ben) == (False, False, False, False)
    clock.shift(timedelta(seconds=1))
    assert counts(ben) == (True, True, True, True)
    sign_in(client, ben)
    assert client.get(reverse("accounts:member", args=[ben.pk])).status_code == 200
    with pytest.raises(Conflict, match="not suspended"):
        propose(lift_member_suspension, actor=ana, params=LiftMemberSuspension(ben.pk))


def test_another_member_confirms_it_and_it_lasts(clock, ana, ben, cleo):
    brakes.suspend_member(actor=ana, member=ben)
    brakes.confirm_suspension(actor=cleo, member=ben)
    clock.shift(timedelta(days=30))
    assert counts(ben) == (False, False, False, False)
    assert AuditEvent.objects.get(kind="member.suspension_confirmed").actor_label == "Cleo Novak"
    with pytest.raises(Conflict, match="confirmed already"):
        brakes.confirm_suspension(actor=cleo, member=ben)


def test_who_pulled_it_does_not_confirm_it_nor_whom_it_is_about_nor_who_may_not_approve(ana, ben, audit, owner, eve):
    Grant.objects.create(member=ana, workflow=ACCESS.value, right=Right.APPROVE.value)
    brakes.suspend_member(actor=ana, member=ben)
    for actor, words in ((ana, "You suspended them"), (ben, "not active"), (audit, "may view here, not approve")):
        with pytest.raises(Refused, match=words):
            brakes.confirm_suspension(actor=actor, member=ben)
    with pytest.raises(NotFound):
        brakes.confirm_suspension(actor=eve, member=ben)
    with pytest.raises(Conflict, match="not suspended"):
        brakes.confirm_suspension(actor=owner, member=audit)


def test_what_has_lapsed_is_not_confirmed_any_more(clock, ana, ben, cleo):
    brakes.suspend_member(actor=ana, member=ben)
    clock.shift(DAYS_3)
    with pytest.raises(Conflict, match="not suspended any more"):
        brakes.confirm_suspension(actor=cleo, member=ben)


def test_one_at_a_time_until_it_lapses_or_is_confirmed(clock, ana, ben, cleo, fay, owner):
    brakes.suspend_member(actor=ana, member=ben)
    with pytest.raises(Refused, match="two at a time"):
        brakes.suspend_member(actor=ana, member=cleo)
    clock.shift(DAYS_3)
    brakes.suspend_member(actor=ana, member=cleo)
    brakes.confirm_suspension(actor=fay, member=cleo)
    with pytest.raises(Refused, match="less than seven days ago"):
        brakes.suspend_member(actor=ana, member=ben)
    brakes.suspend_member(actor=ana, member=fay)


def test_a_lapse_is_written_down_once(clock, ana, ben, cleo, owner):
    brakes.suspend_member(actor=ana, member=ben)
    assert record_lapsed() == 0
    clock.shift(DAYS_3 + timedelta(hours=5))
    record_lapsed_suspensions()
    assert record_lapsed() == 0
    event = AuditEvent.objects.get(kind="member.suspension_lapsed")
    assert event.actor_kind == "portal"
    assert again(ben).suspended_at is None
    brakes.suspend_member(actor=owner, member=ben)
    clock.shift(DAYS_3)
    assert record_lapsed() == 1


def test_never_one_that_leaves_too_few_to_lift_it(world, ana, ben, cleo, fay, owner):
    """As many as a lock asks count too: of Ben, Cleo, Fay and Olive three are left, then none may be missing."""
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(
        approvals=3, is_locked=True
    )
    brakes.suspend_member(actor=ana, member=ben)
    with pytest.raises(Refused, match=r"it would take 3 .* and there is one"):
        brakes.suspend_member(actor=owner, member=cleo)


def test_who_pulls_it_does_not_count_among_those_who_could_lift_it(ana, ben, cleo, fay, owner):
    Member.objects.filter(pk__in=[cleo.pk, fay.pk]).update(identity="unverified")
    with pytest.raises(Refused, match="Too few could lift this"):
        brakes.suspend_member(actor=owner, member=ben)
    brakes.suspend_member(actor=ana, member=ben)


def test_a_bots_suspension_is_lifted_by_request_of_who_approves_too(ben, owner, trading_bot, client, sign_in):
    brakes.suspend_service_user(actor=owner, service_user=trading_bot.service_user)
    sign_in(client, ben)
    page = client.get(reverse("accounts:service_user", args=["trading-bot"])).content.decode()
    assert reverse("accounts:lift", args=["trading-bot"]) in page
    change = propose(lift_suspension, actor=ben, params=LiftSuspension(trading_bot.service_user.pk))
    assert change.state == State.PENDING


def test_the_page_says_how_long_and_lets_another_confirm(ana, ben, cleo, audit, client, sign_in):
    brakes.suspend_member(actor=ana, member=ben)
    sign_in(client, audit)
    text = client.get(reverse("accounts:member", args=[ben.pk])).content.decode()
    assert "One person alone suspended them" in text
    assert "It takes another member with Approve on Manage Access" in text
    assert client.post(reverse("accounts:confirm_suspension", args=[ben.pk])).status_code == 403
    client = Client()
    sign_in(client, cleo)
    answer = client.post(reverse("accounts:confirm_suspension", args=[ben.pk]), follow=True)
    assert "is confirmed" in answer.content.decode()
    assert "One person alone suspended them" not in answer.content.decode()
    assert again(ben).suspended_until is None


def test_an_end_belongs_to_a_suspension(ben):
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=ben.pk).update(suspended_until=timezone.now())
