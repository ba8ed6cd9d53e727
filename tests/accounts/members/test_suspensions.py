"""A suspension by one person: how long it lasts and what it never does; keeping somebody out longer (DESIGN §4)."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.emergency_stop import stop
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.emergency_stop.suspensions import record_lapsed
from accounts.models import Member
from accounts.service_users.params import LiftSuspension
from accounts.service_users.reinstate_and_remove import lift_suspension
from accounts.tasks import record_lapsed_suspensions
from policies.access import allows
from policies.changes import propose
from policies.models import ChangeRequest, Grant, Policy, State
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Refused
from portal.jobs import mail
from tests.policies.conftest import yes

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
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    clock.shift(DAYS_3 - timedelta(seconds=1))
    assert counts(ben) == (False, False, False, False)
    clock.shift(timedelta(seconds=1))
    assert counts(ben) == (True, True, True, True)
    sign_in(client, ben)
    assert client.get(reverse("accounts:member", args=[ben.pk])).status_code == 200
    with pytest.raises(Conflict, match="not suspended"):
        propose(lift_member_suspension, actor=ana, params=LiftMemberSuspension(ben.pk))


def keeps_out(actor, member):
    return propose(keep_out, actor=actor, params=KeepOut(member.pk))


def test_nobody_keeps_somebody_out_alone_without_a_word_to_them_and_to_who_looks_after_access(
    owner, ben, cleo, mailoutbox
):
    """The brake of 72 hours is told to all; what has no end must not happen with nobody told, where one finishes it."""
    assert keeps_out(owner, ben).state == State.EXECUTED
    mail.settle()
    told = {address: message.subject for message in mailoutbox for address in message.to}
    assert "kept out" in told[ben.user.email]
    assert "did this alone" in told[cleo.user.email]
    assert owner.user.email not in told


def test_to_keep_somebody_out_longer_is_a_request_which_they_do_not_decide(clock, ana, ben, cleo, audit):
    """fault rules-F: asked, approved and lifted like a removal; the brake that runs makes nobody an approver of it."""
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    change = keeps_out(ana, ben)
    assert (change.state, change.approvals_required) == (State.PENDING, 1)
    with pytest.raises(Refused):
        yes(change, ben)
    assert yes(change, cleo).state == State.EXECUTED
    clock.shift(timedelta(days=30))
    assert counts(ben) == (False, False, False, False)
    assert AuditEvent.objects.get(kind="member.kept_out").actor_label == "Ana Ruiz"
    with pytest.raises(Conflict, match="kept out already"):
        keeps_out(cleo_may_ask(cleo), ben)
    lifting = propose(lift_member_suspension, actor=cleo, params=LiftMemberSuspension(ben.pk))
    assert lifting.state == State.PENDING


def test_a_yes_to_lifting_a_brake_does_not_undo_that_they_are_kept_out_since(world, clock, ana, ben, cleo, fay, owner):
    """R6: it was said of what would have ended by itself."""
    stop.suspend_member(actor=ana, member=fay, reason="It has to stop.")
    lifting = propose(lift_member_suspension, actor=ben, params=LiftMemberSuspension(fay.pk))
    clock.shift(timedelta(minutes=1))
    assert keeps_out(owner, fay).state == State.EXECUTED
    lifting.refresh_from_db()
    assert lifting.state == State.STALE
    (field,) = lifting.overtaken
    assert field["now"] == f"{field['then']}, kept out"


def cleo_may_ask(cleo):
    Grant.objects.create(member=cleo, workflow=ACCESS.value, right=Right.INITIATE.value)
    return cleo


def test_the_member_it_is_about_does_not_decide_it_though_the_brake_has_lapsed(clock, ana, ben, cleo, fay):
    """fault rules-F: R3, also for somebody who was never suspended."""
    change = keeps_out(ana, ben)
    with pytest.raises(Refused, match="about you"):
        yes(change, ben)
    assert yes(change, fay).state == State.EXECUTED
    assert again(ben).suspended_until is None


def test_two_do_not_put_everybody_else_out(world, clock, ana, ben, cleo, fay, owner):
    """fault rules-F: Hal asks and Hexa approves; where it takes three nobody goes by their two, one after another."""
    Policy.objects.update_or_create(
        organization=world.organization,
        workflow=ACCESS.value,
        defaults={"approvals": 2, "always": True, "open_hours": 72, "changed_at": timezone.now()},
    )
    stop.suspend_member(actor=ana, member=owner, reason="It has to stop.")
    change = keeps_out(ana, owner)
    assert yes(change, fay).state == State.PENDING
    with pytest.raises(Refused, match="two at a time"):
        stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    clock.shift(DAYS_3)
    assert counts(owner) == (True, True, True, True)


def test_one_at_a_time_until_it_lapses(clock, ana, ben, cleo, fay, owner):
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    with pytest.raises(Refused, match="two at a time"):
        stop.suspend_member(actor=ana, member=cleo, reason="It has to stop.")
    clock.shift(DAYS_3)
    stop.suspend_member(actor=ana, member=cleo, reason="It has to stop.")
    assert again(ben).suspended_at is None
    clock.shift(DAYS_3)
    with pytest.raises(Refused, match="less than seven days ago"):
        stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")


def test_a_lapse_is_written_down_once(clock, ana, ben, cleo, owner):
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    assert record_lapsed() == 0
    clock.shift(DAYS_3 + timedelta(hours=5))
    record_lapsed_suspensions()
    assert record_lapsed() == 0
    event = AuditEvent.objects.get(kind="member.suspension_lapsed")
    assert event.actor_kind == "portal"
    assert again(ben).suspended_at is None
    stop.suspend_member(actor=owner, member=ben, reason="It has to stop.")
    clock.shift(DAYS_3)
    assert record_lapsed() == 1


def test_never_refused_for_what_it_leaves(world, ana, ben, cleo, fay, owner):
    """fault rules-G: three are needed and none is spare; a stolen laptop is stopped all the same, for 72 hours."""
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(
        approvals=3, is_locked=True
    )
    Member.objects.filter(pk__in=[cleo.pk, fay.pk]).update(identity="unverified")
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    stop.suspend_member(actor=owner, member=ana, reason="It has to stop.")
    assert again(ben).suspended_until is not None


def test_the_database_keeps_one_running_for_each_who_pulls_and_none_of_oneself(ana, ben, cleo):
    """fault rules-F: around every function."""
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=cleo.pk).update(suspended_at=now, suspended_by=ana, suspended_until=now + DAYS_3)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=cleo.pk).update(suspended_at=now, suspended_by=cleo)


def test_a_bots_suspension_is_lifted_by_request_of_who_approves_too(ben, owner, trading_bot, client, sign_in):
    stop.suspend_service_user(actor=owner, service_user=trading_bot.service_user, reason="It has to stop.")
    sign_in(client, ben)
    page = client.get(reverse("accounts:service_user", args=["trading-bot"])).content.decode()
    assert reverse("accounts:lift", args=["trading-bot"]) in page
    change = propose(lift_suspension, actor=ben, params=LiftSuspension(trading_bot.service_user.pk))
    assert change.state == State.PENDING


def test_the_page_says_how_long_and_offers_to_keep_them_out(ana, ben, cleo, audit, client, sign_in):
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    sign_in(client, audit)
    text = client.get(reverse("accounts:member", args=[ben.pk])).content.decode()
    assert "One person alone suspended them" in text
    assert client.post(reverse("accounts:keep_out", args=[ben.pk])).status_code == 403
    client = Client()
    sign_in(client, ana)
    assert (
        reverse("accounts:keep_out", args=[ben.pk])
        in client.get(reverse("accounts:member", args=[ben.pk])).content.decode()
    )
    client.post(reverse("accounts:keep_out", args=[ben.pk]))
    yes(ChangeRequest.objects.get(operation="accounts.keep_out"), cleo)
    text = client.get(reverse("accounts:member", args=[ben.pk])).content.decode()
    assert "kept out by a request" in text


def test_an_end_belongs_to_a_suspension(ben):
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=ben.pk).update(suspended_until=timezone.now())
