"""What a locked policy protects (DESIGN P4), and the four roads by which one person must not undo it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import grants
from accounts.api_keys.revoke import RevokeKey, revoke_key
from accounts.emergency_stop import active
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.lift_stops import LiftStops, StopToLift, lift_stops
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.emergency_stop.stop import suspend_member, suspend_service_user
from accounts.grants import Given
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.members.identity import checks
from accounts.members.identity.provider import Document
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.members.invite_member import InviteMember, invite_member
from accounts.members.revoke_invitation import TakeBack, take_back_invitation
from accounts.models import Account, ApiKey, Authenticator, Invitation, Member, ServiceUser
from accounts.models.member import Identity
from accounts.models.organization import SecondFactorLevel
from accounts.organizations.founding import add_member
from accounts.organizations.ownership import accept
from accounts.organizations.settings import AddAccount, ChangeSecurity, add_account, change_security
from accounts.organizations.sign_in_rules import Security
from accounts.organizations.transfer_ownership import TransferOwnership, transfer_ownership
from accounts.security.reset_factors import ResetFactors, reset_factors
from accounts.service_users.create_and_change import change_service_user, create_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import (
    ChangeServiceUser,
    CreateServiceUser,
    LiftSuspension,
    RemoveServiceUser,
    RotateKey,
)
from accounts.service_users.reinstate_and_remove import lift_suspension, remove_service_user
from accounts.service_users.rotate import rotate_key
from policies import registry
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
from policies.rules import lock_protection
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from tests.factories.people import proof
from tests.factories.world import EVERY_PERMISSION, READING, World
from tests.policies.conftest import make_user

pytestmark = pytest.mark.django_db
ACCESS, POLICIES, ADDRESSES, WITHDRAWAL = Workflow
ALL = tuple((given.workflow.value, given.right.value, None) for given in grants.everything())


@pytest.fixture
def locked(world):
    """Three approvals on withdrawals, locked. Ben, Cleo, Fay and Gus approve everywhere; nothing else is governed."""
    policies = Policy.objects.filter(organization=world.organization)
    policies.exclude(workflow=WITHDRAWAL.value).delete()
    policies.update(approvals=3, is_locked=True)
    gus = add_member(world.organization, make_user("gus"), rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    world.members["gus"] = gus
    return world


def yes(change, member):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof(change))


def invite(rights=ALL) -> InviteMember:
    return InviteMember(email="accomplice@demo.test", name="Accomplice", rights=rights)


def rights_of(member, *after) -> ChangeRights:
    return ChangeRights(member.pk, grants.of(member), grants.ordered(after))


def rotation(bot) -> RotateKey:
    limits = limits_of(bot.service_user)
    return RotateKey(
        bot.service_user.pk, bot.service_user.account_id, limits, (bot.key.short,), 48, None, acknowledged=True
    )


def bot_of(account, permissions) -> CreateServiceUser:
    return CreateServiceUser("new-bot", account.pk, permissions, None, None, None, False, 0, (), acknowledged=True)


def widened(bot, **after) -> ChangeServiceUser:
    before = limits_of(bot.service_user)
    service_user = bot.service_user
    return ChangeServiceUser(service_user.pk, service_user.account_id, before, replace(before, **after), True)


SECURITY = Security(SecondFactorLevel.PASSKEY, 30, 12)
LOWER = replace(SECURITY, level=SecondFactorLevel.ANY)


@dataclass(frozen=True)
class Case:
    run: Callable[..., object]
    params: Callable[[World], object]
    is_protected: bool


CASES = {
    "invite with rights": Case(invite_member, lambda w: invite(), True),
    "invite to look": Case(invite_member, lambda w: invite((("manage_access", "view", None),)), False),
    "give Approve": Case(change_rights, lambda w: rights_of(w.members["audit"], Given(ACCESS, Right.APPROVE)), True),
    "give View": Case(
        change_rights,
        lambda w: rights_of(w.members["ben"], *grants.of(w.members["ben"]), Given(ACCESS, Right.VIEW)),
        False,
    ),
    "take a right": Case(change_rights, lambda w: rights_of(w.members["ben"], Given(ACCESS, Right.APPROVE)), False),
    "lift a member": Case(lift_member_suspension, lambda w: LiftMemberSuspension(w.members["ben"].pk), True),
    "lift who looks": Case(lift_member_suspension, lambda w: LiftMemberSuspension(w.members["audit"].pk), False),
    "transfer": Case(transfer_ownership, lambda w: TransferOwnership(w.members["ana"].pk, w.members["owner"].pk), True),
    "reset": Case(reset_factors, lambda w: ResetFactors(w.members["ben"].pk), True),
    "reset who looks": Case(reset_factors, lambda w: ResetFactors(w.members["audit"].pk), False),
    "verify": Case(verify_identity, lambda w: VerifyIdentity(w.members["ana"].pk, ""), True),
    "verify who looks": Case(verify_identity, lambda w: VerifyIdentity(w.members["audit"].pk, ""), False),
    "lower the level": Case(change_security, lambda w: ChangeSecurity(SECURITY, LOWER), True),
    "raise the level": Case(change_security, lambda w: ChangeSecurity(LOWER, SECURITY), False),
    "add an Account": Case(add_account, lambda w: AddAccount("Cold"), True),
    "make a key that withdraws": Case(create_service_user, lambda w: bot_of(w.account, EVERY_PERMISSION), True),
    "make a key that reads": Case(create_service_user, lambda w: bot_of(w.account, READING), False),
    "widen where it withdraws": Case(
        change_service_user, lambda w: widened(w.bot("treasury-bot"), websocket=True), True
    ),
    "give Withdraw": Case(
        change_service_user, lambda w: widened(w.bot("trading-bot"), permissions=EVERY_PERMISSION), True
    ),
    "widen what reads": Case(change_service_user, lambda w: widened(w.bot("readonly-bot"), websocket=True), False),
    "narrow": Case(change_service_user, lambda w: widened(w.bot("treasury-bot"), permissions=READING), False),
    "rotate a key that withdraws": Case(rotate_key, lambda w: rotation(w.bot("treasury-bot")), True),
    "rotate a key that reads": Case(rotate_key, lambda w: rotation(w.bot("readonly-bot")), False),
    "lift a bot that withdraws": Case(
        lift_suspension, lambda w: LiftSuspension(w.bot("treasury-bot").service_user.pk), True
    ),
    "lift a bot that reads": Case(
        lift_suspension, lambda w: LiftSuspension(w.bot("readonly-bot").service_user.pk), False
    ),
    "configure the locked one": Case(configure_policy, lambda w: ConfigurePolicy(WITHDRAWAL, 4, True), True),
    "configure a neighbour": Case(configure_policy, lambda w: ConfigurePolicy(ACCESS, 1, True), False),
    "remove the locked one": Case(remove_policy, lambda w: RemovePolicy(WITHDRAWAL), True),
    "remove a neighbour": Case(remove_policy, lambda w: RemovePolicy(ACCESS), False),
    "unlock": Case(unlock_policy, lambda w: UnlockPolicy(WITHDRAWAL), True),
    "unlock a neighbour": Case(unlock_policy, lambda w: UnlockPolicy(ACCESS), False),
    "lock a neighbour": Case(lock_policy, lambda w: LockPolicy(ACCESS, 1, True), False),
    "remove a member": Case(remove_member, lambda w: RemoveMember(w.members["ben"].pk, ()), False),
    "keep somebody out": Case(keep_out, lambda w: KeepOut(w.members["ben"].pk), False),
    "revoke a key": Case(revoke_key, lambda w: RevokeKey(w.bot("treasury-bot").key.pk, "abc", "treasury-bot"), False),
    "take an invitation back": Case(take_back_invitation, lambda w: TakeBack(1, "new@example.test"), False),
    "lift all with a bot that withdraws": Case(
        lift_stops, lambda w: stopped_by(w, "bot", w.bot("treasury-bot").service_user), True
    ),
    "lift all with a bot that reads": Case(
        lift_stops, lambda w: stopped_by(w, "bot", w.bot("readonly-bot").service_user), False
    ),
    "lift all with a member who approves": Case(lift_stops, lambda w: stopped_by(w, "member", w.members["ben"]), True),
    "remove a bot": Case(
        remove_service_user, lambda w: RemoveServiceUser(w.bot("treasury-bot").service_user.pk), False
    ),
}


def stopped_by(world: World, kind: active.Kind, what: Member | ServiceUser) -> LiftStops:
    """All that Ana stopped: this one."""
    stop = StopToLift(kind, what.pk, what.label, timezone.now())
    return LiftStops(world.members["ana"].pk, "Ana Ruiz", (stop,))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_protected(locked, case):
    """P4: its list, and nothing else."""
    facts = gather(locked.organization)
    assert bool(registry.of(case.run).protected(case.params(locked), facts)) is case.is_protected


REAL = [entry for entry in registry.all_operations() if not entry.key.startswith("tests.")]


@pytest.mark.parametrize("entry", REAL, ids=lambda entry: entry.key)
def test_every_operation_says_whether_it_is_protected(entry):
    """Of another workflow only what gives a name again is; each of the two that can be is in the cases above."""
    if entry.workflow not in (ACCESS, POLICIES):
        assert entry.protected is registry.unprotected
        gives_again = entry.gives_again is not registry.gives_nothing_again
        assert entry.protection is (lock_protection.NAME_AGAIN if gives_again else None)
        return
    assert entry.protection is not None
    cases = {case.is_protected for case in CASES.values() if registry.of(case.run) is entry}
    expected = {lock_protection.NEVER: {False}, lock_protection.ALWAYS: {True}}
    assert cases == expected.get(entry.protection.case, {True, False}), f"The cases of {entry.key} do not show its row."


def test_no_row_of_what_a_lock_protects_is_idle():
    assert {entry.protection for entry in REAL} - {None} == set(lock_protection.TABLE)
    assert len(set(lock_protection.TABLE)) == len(lock_protection.TABLE)


def test_the_design_shows_what_a_lock_protects():
    """P4: its table is the one that the operations read."""
    text = (settings.BASE_DIR / "docs" / "design.md").read_text(encoding="utf-8")
    p4 = text.split("**P4**")[1].split("**P5**")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in p4.splitlines() if line[:1] == "|"]
    assert rows[2:] == [(row.change, row.case, row.why) for row in lock_protection.TABLE]


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
