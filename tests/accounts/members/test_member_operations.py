"""Rights given and taken, members removed, suspended and brought back."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import grants
from accounts.emergency_stop import stop
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.grants import Given
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.models import Account, Session
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies import registry
from policies.changes import decide, propose
from policies.models import Grant, State
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from tests.factories.people import proof

pytestmark = pytest.mark.django_db
PAGE = "/members/"
ACCESS, MONEY = Workflow.MANAGE_ACCESS, Workflow.INITIATE_WITHDRAWAL


def ask_rights(actor, member, *after):
    params = ChangeRights(member.pk, grants.of(member), grants.ordered(after))
    return propose(change_rights, actor=actor, params=params)


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof(change))


def ask_removal(actor, member):
    return propose(remove_member, actor=actor, params=RemoveMember(member.pk, ("everything",)))


def ask_lift(actor, member):
    return propose(lift_member_suspension, actor=actor, params=LiftMemberSuspension(member.pk))


def stays_out(client):
    return client.get(PAGE).status_code == 302


def test_rights_wait_for_another_member_and_then_are_exactly_those(ana, ben, audit):
    change = ask_rights(ana, audit, Given(ACCESS, Right.INITIATE), Given(MONEY, Right.VIEW))
    assert change.state == State.PENDING
    assert len(grants.of(audit)) == 4
    yes(change, ben)
    assert grants.of(audit) == (Given(ACCESS, Right.INITIATE), Given(MONEY, Right.VIEW))
    event = AuditEvent.objects.get(kind="rights.changed")
    assert event.data["before"] == ["View everywhere"]
    assert event.data["after"] == ["Manage Access: Initiate", "Initiate Withdrawal: View"]


def test_another_name_of_an_account_stops_no_request(world, ana, ben, audit):
    """R6: the rights are what they were; only words changed, and words are no state."""
    audit_there = Given(MONEY, Right.VIEW, world.account.pk)
    grants.give(audit, (audit_there,))
    change = ask_rights(ana, audit, Given(MONEY, Right.INITIATE, world.account.pk))
    Account.objects.filter(pk=world.account.pk).update(name="Renamed")
    assert yes(change, ben).state == State.EXECUTED


def test_with_execute_they_change_at_once_and_the_sessions_end(client, owner, audit, sign_in):
    """SI-8: rights changed."""
    sign_in(client, audit)
    assert ask_rights(owner, audit, *grants.of(audit), Given(ACCESS, Right.APPROVE)).state == State.EXECUTED
    assert stays_out(client)
    assert not Session.objects.filter(member=audit).exists()


def test_nobody_changes_their_own_rights_alone(ana):
    """AZ-6: nobody executes or approves alone a change of their own rights."""
    Grant.objects.create(member=ana, workflow=ACCESS.value, right=Right.EXECUTE.value)
    Grant.objects.create(member=ana, workflow=ACCESS.value, right=Right.APPROVE.value)
    change = ask_rights(ana, ana, *grants.everything())
    assert change.state == State.PENDING
    with pytest.raises(Refused, match="you asked for this"):
        yes(change, ana)


def test_who_it_is_about_does_not_decide(ana, ben):
    """AZ-6: the subject neither approves nor rejects it, even with Approve."""
    change = ask_rights(ana, ben, *grants.of(ben), Given(ACCESS, Right.VIEW))
    with pytest.raises(Refused, match="about you"):
        yes(change, ben)


@pytest.mark.parametrize("ask", [lambda actor, owner: ask_rights(actor, owner, Given(ACCESS, Right.VIEW)), ask_removal])
def test_what_the_owner_holds_changes_only_by_transfer(ana, owner, ask):
    """AZ-6: the Owner's rights change only by transfer of ownership."""
    for actor in (ana, owner):
        with pytest.raises(Refused, match="transfer of ownership"):
            ask(actor, owner)


def test_what_was_changed_meanwhile_is_not_overwritten(ana, owner, ben, audit):
    change = ask_rights(ana, audit, Given(ACCESS, Right.INITIATE))
    ask_rights(owner, audit, Given(MONEY, Right.VIEW))
    with pytest.raises(Conflict, match="stale"):
        yes(change, ben)
    assert grants.of(audit) == (Given(MONEY, Right.VIEW),)
    with pytest.raises(Conflict):
        propose(change_rights, actor=owner, params=ChangeRights(audit.pk, (), (Given(ACCESS, Right.VIEW),)))


def test_rights_name_only_what_there_is(world, owner, audit, eve):
    """AZ-3: an Account or a member of another Organization does not exist here."""
    theirs = Account.objects.get(organization=world.elsewhere)
    with pytest.raises(Invalid):
        ask_rights(owner, audit, Given(MONEY, Right.VIEW, theirs.pk))
    with pytest.raises(Invalid):
        ask_rights(owner, audit, Given(ACCESS, Right.VIEW, world.account.pk))
    with pytest.raises(Invalid, match="Nothing would change"):
        ask_rights(owner, audit, *grants.of(audit))
    with pytest.raises(NotFound):
        ask_rights(owner, eve, Given(ACCESS, Right.VIEW))


def test_who_may_not_ask_is_told_so(ben, audit):
    with pytest.raises(Refused, match="does not hold Initiate"):
        ask_rights(ben, audit, Given(ACCESS, Right.INITIATE))


def test_taking_the_last_approvers_away_is_refused(owner, ben, cleo):
    """P5: withdrawals take two approvals, and always."""
    only = (Given(ACCESS, Right.VIEW),)
    ask_rights(owner, ben, *only)
    with pytest.raises(Refused, match="nobody can finish"):
        ask_rights(owner, cleo, *only)


def test_the_page_of_the_request_says_before_and_after(ana, audit, world):
    change = ask_rights(ana, audit, Given(ACCESS, Right.INITIATE), Given(MONEY, Right.VIEW, world.account.pk))
    described = registry.get(change.operation).describe(change)
    rows = {field.field: (field.before, field.after, field.grows) for field in described.changes}
    assert rows["Manage Access"] == ("View", "Initiate", True)
    assert rows["Manage Policies"] == ("View", "nothing", False)
    assert rows["Initiate Withdrawal"] == ("View", "View on Main", False)
    assert "Otto Berg" in described.sentence
    assert described.notices[0].level == "wait"


def test_what_a_member_may_no_longer_ask_is_cancelled(owner, ana, audit, ben):
    """R5: at once, and nothing else with it."""
    access = ask_rights(ana, audit, Given(ACCESS, Right.INITIATE))
    policy = propose(configure_policy, actor=ana, params=ConfigurePolicy(workflow=ACCESS, approvals=1, always=True))
    ask_rights(owner, ana, Given(ACCESS, Right.VIEW), Given(Workflow.MANAGE_POLICIES, Right.INITIATE))
    access.refresh_from_db()
    policy.refresh_from_db()
    assert (access.state, policy.state) == (State.CANCELLED, State.PENDING)
    assert "Initiate on Manage Access" in access.reason


def test_removing_a_member_ends_everything_of_theirs(client, owner, ana, audit, sign_in):
    """SI-8: disabling a member, for good."""
    sign_in(client, ana)
    waiting = ask_rights(ana, audit, Given(ACCESS, Right.INITIATE))
    assert ask_removal(owner, ana).state == State.EXECUTED
    assert stays_out(client)
    ana.refresh_from_db()
    waiting.refresh_from_db()
    assert ana.removed_at is not None
    assert grants.of(ana) == ()
    assert waiting.state == State.CANCELLED
    assert AuditEvent.objects.get(kind="member.removed").data["held"] == ["Initiate everywhere"]
    with pytest.raises(NotFound):
        ask_removal(owner, ana)


def test_removing_too_many_is_refused_with_the_order_that_works(owner, ben, cleo):
    """P5: brakes are never refused for it, removals are."""
    ask_removal(owner, ben)
    with pytest.raises(Refused, match="First give Approve"):
        ask_removal(owner, cleo)


def test_a_suspension_takes_effect_at_once_and_cancels(client, ana, ben, audit, owner, sign_in):
    """SI-8: two browsers; disable, enable, old cookie stays dead."""
    second = Client()
    sign_in(client, ben)
    sign_in(second, ben)
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    assert stays_out(client)
    ben.refresh_from_db()
    assert (ben.suspended_by, ben.version) == (ana, 2)
    assert ask_lift(owner, ben).state == State.EXECUTED
    ben.refresh_from_db()
    assert (ben.suspended_at, ben.suspended_by) == (None, None)
    assert stays_out(client)
    assert stays_out(second)


def test_a_suspended_members_requests_are_cancelled(ana, owner, audit):
    waiting = ask_rights(ana, audit, Given(ACCESS, Right.INITIATE))
    stop.suspend_member(actor=owner, member=ana, reason="It has to stop.")
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED


def test_a_brake_has_bounds_of_its_own(ana, ben, cleo, owner, eve):
    with pytest.raises(Refused, match="yourself"):
        stop.suspend_member(actor=ana, member=ana, reason="It has to stop.")
    with pytest.raises(Refused, match="Initiate"):
        stop.suspend_member(actor=ben, member=ana, reason="It has to stop.")
    with pytest.raises(NotFound):
        stop.suspend_member(actor=ana, member=eve, reason="It has to stop.")
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    with pytest.raises(Conflict):
        stop.suspend_member(actor=owner, member=ben, reason="It has to stop.")
    with pytest.raises(Refused, match="still running"):
        stop.suspend_member(actor=ana, member=cleo, reason="It has to stop.")


def test_the_same_member_is_not_suspended_again_within_a_week(ana, ben, owner):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
        ask_lift(owner, ben)
        clock.shift(timedelta(days=6))
        with pytest.raises(Refused, match="seven days"):
            stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
        clock.shift(timedelta(days=1, seconds=1))
        stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")


def test_who_approves_may_also_ask_to_lift(ana, ben, cleo, fay):
    """DESIGN §4: lifting may also be asked by who holds Approve on Manage Access."""
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    change = ask_lift(cleo, ben)
    assert change.state == State.PENDING
    assert yes(change, fay).state == State.EXECUTED
    with pytest.raises(Conflict, match="not suspended"):
        ask_lift(cleo, ben)


@pytest.mark.parametrize("ask", [
    lambda actor, other: ask_rights(actor, other, Given(ACCESS, Right.VIEW)),
    ask_removal,
])  # fmt: skip
def test_what_is_approved_is_described_from_what_was_asked(ana, ben, ask):
    change = ask(ana, ben)
    assert "Ben Adeyemi" in registry.get(change.operation).describe(change).sentence


def test_what_waits_about_who_is_removed_ends_as_what_became_of_it(ana, owner, ben):
    """R5, R6: what would write over what is gone is stale, and shows that; what would only reach them is cancelled."""
    rights = ask_rights(ana, ben, Given(ACCESS, Right.VIEW))
    reset = propose(reset_factors, actor=ana, params=ResetFactors(ben.pk))
    assert ask_removal(owner, ben).state == State.EXECUTED
    rights.refresh_from_db()
    reset.refresh_from_db()
    assert (rights.state, reset.state) == (State.STALE, State.CANCELLED)
    assert {field["now"] for field in rights.overtaken} == {"nothing"}
    assert reset.reason == "Ben Adeyemi was removed."
