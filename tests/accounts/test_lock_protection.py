"""What a locked policy protects (DESIGN P4): each operation's row, and a case on either side of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import grants
from accounts.api_keys.revoke import RevokeKey, revoke_key
from accounts.emergency_stop import active
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.lift_stops import LiftStops, StopToLift, lift_stops
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.grants import Given
from accounts.members.change_rights import change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.members.invite_member import invite_member
from accounts.members.revoke_invitation import TakeBack, take_back_invitation
from accounts.models import Member, ServiceUser
from accounts.models.organization import SecondFactorLevel
from accounts.organizations.settings import AddAccount, ChangeSecurity, add_account, change_security
from accounts.organizations.sign_in_rules import Security
from accounts.organizations.transfer_ownership import TransferOwnership, transfer_ownership
from accounts.security.reset_factors import ResetFactors, reset_factors
from accounts.service_users.create_and_change import change_service_user, create_service_user
from accounts.service_users.params import LiftSuspension, RemoveServiceUser
from accounts.service_users.reinstate_and_remove import lift_suspension, remove_service_user
from accounts.service_users.rotate import rotate_key
from policies import registry
from policies.models import Group, Policy
from policies.operations import (
    LIFT,
    LONGER,
    REHEARSE,
    ChangeGroup,
    ConfigurePolicy,
    CreateGroup,
    FreezeLonger,
    LiftFreeze,
    LockPolicy,
    Rehearse,
    RemoveGroup,
    RemovePolicy,
    Roster,
    UnlockPolicy,
    change_group,
    configure_policy,
    create_group,
    lock_policy,
    remove_group,
    remove_policy,
    unlock_policy,
)
from policies.rules import lock_protection
from policies.rules.language import Among, AtLeast, GroupApprovals, Rule, Scope, SumOf
from policies.snapshot import gather
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Right, Workflow
from portal.treasury.operations import AddAddress, add_address
from portal.venues.kraken.connection.connecting import connect
from portal.venues.kraken.connection.disconnecting import disconnect
from portal.venues.kraken.connection.params import AddCredential, Connect, Disconnect, Proposed, RemoveCredential
from portal.venues.kraken.connection.replacing import add_credential, remove_credential
from portal.venues.kraken.models import Purpose, Tier
from tests.accounts.protected_changes import ACCESS, POLICIES, WITHDRAWAL, bot_of, invite, rights_of, rotation, widened
from tests.factories.world import EVERY_PERMISSION, READING, World

pytestmark = pytest.mark.django_db
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
    "connect an Account": Case(connect, lambda w: Connect("Kraken", "Real", Tier.PRO, ()), True),
    "add a credential of an exchange": Case(
        add_credential,
        lambda w: AddCredential(w.account.pk, "Main", Proposed(1, "public", Purpose.REST, (), (), None, None, None, 0)),
        True,
    ),
    "remove a credential of an exchange": Case(
        remove_credential, lambda w: RemoveCredential(w.account.pk, "Main", 1, "public", Purpose.REST), True
    ),
    "disconnect": Case(disconnect, lambda w: Disconnect(w.account.pk, "Main"), True),
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
    "make a group": Case(create_group, lambda w: CreateGroup("Board", (w.members["ben"].pk,)), False),
    "change the group that the lock names": Case(change_group, lambda w: into_group(w, named=True), True),
    "change a group that no lock names": Case(change_group, lambda w: into_group(w, named=False), False),
    "remove a group": Case(remove_group, lambda w: RemoveGroup(1, Roster("Board", ())), False),
    **{
        f"lift a freeze of {workflow.title}": Case(
            LIFT[workflow], lambda w: LiftFreeze(1, "Manage Access", None), is_protected=True
        )
        for workflow in Workflow
    },
    **{
        f"freeze {workflow.title} for longer": Case(
            LONGER[workflow],
            lambda w: FreezeLonger(1, "Manage Access", None, timezone.now()),
            is_protected=False,
        )
        for workflow in Workflow
    },
    "rehearse a workflow": Case(REHEARSE[ACCESS], lambda w: Rehearse(None, "", (w.members["ben"].pk,)), False),
    "rehearse policies": Case(REHEARSE[POLICIES], lambda w: Rehearse(None, "", (w.members["ben"].pk,)), False),
    "remove a member": Case(remove_member, lambda w: RemoveMember(w.members["ben"].pk, ()), False),
    "keep somebody out": Case(keep_out, lambda w: KeepOut(w.members["ben"].pk), False),
    "revoke a key": Case(revoke_key, lambda w: RevokeKey(w.bot("treasury-bot").key.pk, "abc", "treasury-bot"), False),
    "take an invitation back": Case(take_back_invitation, lambda w: TakeBack(1, "new@example.test"), False),
    "add an address where the lock names destinations": Case(
        add_address, lambda w: address_of(w, Rule(approvals=1, destinations=Among(("elsewhere",)))), True
    ),
    "add an address where the lock names their age": Case(
        add_address, lambda w: address_of(w, Rule(approvals=1, younger_hours=24)), True
    ),
    "add an address where the lock counts by destination": Case(
        add_address,
        lambda w: address_of(w, Rule(approvals=1, sums=(AtLeast(SumOf((Scope.DESTINATION,)), Decimal(5)),))),
        True,
    ),
    "add an address where the lock names something else": Case(
        add_address, lambda w: address_of(w, Rule(approvals=1, assets=Among(("XXBT",)))), False
    ),
    "add an address": Case(add_address, lambda w: address_of(w, Rule(approvals=3)), False),
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


def address_of(world: World, *rules: Rule) -> AddAddress:
    """One more address, where the locked policy has these rules."""
    Policy.objects.filter(organization=world.organization, is_locked=True).update(rules=written_rules(rules))
    return AddAddress(world.account.pk, "btc-new", "XXBT", "Bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")


def into_group(world: World, *, named: bool) -> ChangeGroup:
    """Ben joins a group; where it is `named`, the locked policy asks for it."""
    group = Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())
    if named:
        rules = written_rules([Rule(groups=(GroupApprovals(group.pk, 1),))])
        Policy.objects.filter(organization=world.organization, is_locked=True).update(rules=rules)
    return ChangeGroup(group.pk, Roster("Board", ()), Roster("Board", (world.members["ben"].pk,)))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_protected(locked, case):
    """P4: its list, and nothing else."""
    params = case.params(locked)
    facts = gather(locked.organization, bots=registry.of(case.run).weighs_bots)
    assert bool(registry.of(case.run).protected(params, facts)) is case.is_protected


REAL = [entry for entry in registry.all_operations() if not entry.key.startswith("tests.")]


@pytest.mark.parametrize("entry", REAL, ids=lambda entry: entry.key)
def test_every_operation_says_whether_it_is_protected(entry):
    """Of another workflow only what gives a name again is, lifting a freeze, and adding an address.

    All others are in the cases above.
    """
    if entry.workflow not in (ACCESS, POLICIES) and entry.params not in (LiftFreeze, FreezeLonger, AddAddress):
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
