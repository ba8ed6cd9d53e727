"""The four roads by which one person must not undo a lock, and what waits while there is one (DESIGN P4)."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import grants
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.emergency_stop.stop import suspend_member, suspend_service_user
from accounts.members.change_rights import change_rights
from accounts.members.identity import checks
from accounts.members.identity.provider import Document
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.members.invite_member import invite_member
from accounts.models import Account, ApiKey, Authenticator, Invitation, Member
from accounts.models.member import Identity
from accounts.organizations.founding import add_member
from accounts.organizations.ownership import accept
from accounts.organizations.settings import AddAccount, add_account
from accounts.organizations.transfer_ownership import TransferOwnership, transfer_ownership
from accounts.security.reset_factors import ResetFactors, reset_factors
from accounts.service_users.create_and_change import change_service_user, create_service_user
from accounts.service_users.params import LiftSuspension
from accounts.service_users.reinstate_and_remove import lift_suspension
from accounts.service_users.rotate import rotate_key
from policies.changes import decide, propose
from policies.models import Policy, State
from policies.operations import (
    ConfigurePolicy,
    LockPolicy,
    RemovePolicy,
    UnlockPolicy,
    configure_policy,
    lock_policy,
    remove_policy,
    unlock_policy,
)
from portal.core.errors import Refused
from tests.accounts.protected_changes import ACCESS, POLICIES, WITHDRAWAL, bot_of, invite, rights_of, rotation, widened
from tests.factories.people import proof
from tests.factories.world import EVERY_PERMISSION
from tests.policies.conftest import make_user

pytestmark = pytest.mark.django_db


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof(change))


# The four roads. Olive is one person with every right on everything, where nothing but the lock governs her.


def test_an_accomplice_is_not_minted(locked, owner, ben):
    """Road 1: inviting, or verifying and giving rights, all take three others."""
    change = propose(invite_member, actor=owner, params=invite())
    assert (change.state, change.approvals_required) == (State.PENDING, 3)
    assert not Invitation.objects.filter(organization=locked.organization).exists()
    newcomer = add_member(locked.organization, make_user("nell"), rights=[])
    assert propose(change_rights, actor=owner, params=rights_of(newcomer, *grants.everything())).state == "pending"
    Member.objects.filter(pk=locked.members["ana"].pk).update(identity=Identity.UNVERIFIED)
    reviewed = propose(verify_identity, actor=ben, params=shown_by(locked.members["ana"]))
    assert (reviewed.state, reviewed.approvals_required) == (State.PENDING, 3)


def shown_by(member) -> VerifyIdentity:
    document = Document(
        full_name="Somebody Real",
        born_on=date(1990, 2, 28),
        country="Spain",
        kind="passport",
        number="X47-2209-KLM",
        expires_on=timezone.localdate() + timedelta(days=400),
    )
    check = checks.submit(member, document)
    return VerifyIdentity(member.pk, str(check.handle))


def test_a_colleagues_factors_are_not_reset_by_one(locked, owner, ben, cleo, fay):
    """Road 2: it takes three others than Ben; with three approvers in all nobody could finish it, and that is said."""
    change = propose(reset_factors, actor=owner, params=ResetFactors(ben.pk))
    assert (change.state, change.approvals_required) == (State.PENDING, 3)
    for member in (cleo, fay):
        yes(change, member)
    assert Authenticator.objects.filter(user=ben.user).exists()
    with pytest.raises(Refused, match="about you"):
        yes(change, ben)
    assert yes(change, locked.members["gus"]).state == State.EXECUTED
    with pytest.raises(Refused, match="Nobody could finish this"):
        propose(reset_factors, actor=owner, params=ResetFactors(cleo.pk))


def test_removing_an_unlocked_neighbour_helps_nobody(locked, owner):
    """Road 3: without any policy on access or policies, the lock's number still stands."""
    for workflow in (ACCESS, POLICIES):
        propose(configure_policy, actor=owner, params=ConfigurePolicy(workflow, 1, always=False))
        assert propose(remove_policy, actor=owner, params=RemovePolicy(workflow)).state == State.EXECUTED
    asked: tuple[tuple[Any, Any], ...] = (
        (invite_member, invite()),
        (unlock_policy, UnlockPolicy(WITHDRAWAL)),
        (remove_policy, RemovePolicy(WITHDRAWAL)),
        (configure_policy, ConfigurePolicy(WITHDRAWAL, 1, always=False)),
    )
    for run, params in asked:
        change = propose(run, actor=owner, params=params)
        assert (change.state, change.approvals_required) == (State.PENDING, 3)
    policy = Policy.objects.get(organization=locked.organization)
    assert (policy.approvals, policy.always, policy.is_locked) == (3, True, True)


def test_a_bots_key_is_not_rotated_by_one(locked, owner, account, treasury_bot):
    """Road 4: neither rotated, nor made, nor widened, nor given back."""
    asked: tuple[tuple[Any, Any], ...] = (
        (rotate_key, rotation(treasury_bot)),
        (create_service_user, bot_of(account, EVERY_PERMISSION)),
        (change_service_user, widened(treasury_bot, websocket=True)),
    )
    for run, params in asked:
        change = propose(run, actor=owner, params=params)
        assert (change.state, change.approvals_required) == (State.PENDING, 3)
    suspend_service_user(actor=owner, service_user=treasury_bot.service_user, reason="It has to stop.")
    lifted = propose(lift_suspension, actor=owner, params=LiftSuspension(treasury_bot.service_user.pk))
    assert (lifted.state, lifted.approvals_required) == (State.PENDING, 3)
    assert ApiKey.objects.filter(service_user=treasury_bot.service_user).count() == 1


def test_without_a_lock_one_finishes_alone(world, owner, account):
    assert propose(invite_member, actor=owner, params=invite()).state == State.EXECUTED
    assert propose(add_account, actor=owner, params=AddAccount("Cold")).state == State.EXECUTED


def test_another_account_waits_while_a_policy_is_locked(locked, owner, ben, cleo, fay):
    """O5: whoever holds a right for all Accounts would hold it there too."""
    change = propose(add_account, actor=owner, params=AddAccount("Cold"))
    for member in (ben, cleo):
        assert yes(change, member).state == State.PENDING
    assert yes(change, fay).state == State.EXECUTED
    assert Account.objects.filter(organization=locked.organization, name="Cold").exists()


def test_what_was_asked_before_the_lock_is_bound_by_it(world, ana, owner, ben, cleo, fay):
    """P4: it binds requests opened before the lock too."""
    change = propose(invite_member, actor=ana, params=invite())
    assert change.approvals_required == 1
    Policy.objects.filter(organization=world.organization, workflow=WITHDRAWAL.value).update(approvals=3)
    lock = propose(lock_policy, actor=owner, params=LockPolicy(WITHDRAWAL, 3, always=True))
    assert [yes(lock, member).state for member in (ben, cleo, fay)][-1] == State.EXECUTED
    for member in (ben, cleo):
        assert yes(change, member).state == State.PENDING
    assert yes(change, fay).state == State.EXECUTED


def test_a_member_who_rests_approves_nothing_protected(locked, owner, ben):
    """M4, F-10: for 24 hours after a reset."""
    Member.objects.filter(pk=ben.pk).update(factors_reset_at=timezone.now() - timedelta(hours=1))
    change = propose(invite_member, actor=owner, params=invite())
    with pytest.raises(Refused, match="in the last 24 hours"):
        yes(change, ben)
    Member.objects.filter(pk=ben.pk).update(
        factors_reset_at=timezone.now() - timedelta(hours=25), factors_enrolled_at=timezone.now() - timedelta(hours=24)
    )
    assert yes(change, ben).state == State.PENDING


def test_a_suspended_member_comes_back_by_as_many_as_the_lock_asks(locked, owner, ben, cleo, fay):
    suspend_member(actor=owner, member=ben, reason="It has to stop.")
    change = propose(lift_member_suspension, actor=cleo, params=LiftMemberSuspension(ben.pk))
    assert (change.state, change.approvals_required) == (State.PENDING, 3)


def test_ownership_is_handed_on_by_as_many_as_the_lock_asks(locked, owner, ana, ben, cleo, fay):
    """O3: at acceptance everything is asked again, also of a lock that came afterwards."""
    Policy.objects.filter(organization=locked.organization).update(is_locked=False)
    change = propose(transfer_ownership, actor=owner, params=TransferOwnership(ana.pk, owner.pk))
    assert yes(change, ben).state == State.EXECUTED
    Policy.objects.filter(organization=locked.organization).update(is_locked=True)
    with pytest.raises(Refused, match="more approvals are needed by now"):
        accept(by=ana, proof=proof())
