"""An open request for everything that is governed, and some that have ended."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts import grants
from accounts.api_keys import revoke as revoking
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.lift_stops import all_of, lift_stops
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.members.invite_member import InviteMember, invite_member
from accounts.members.revoke_invitation import TakeBack, take_back_invitation
from accounts.models import Account, IdentityCheck, Member, OwnershipOffer
from accounts.organizations import sign_in_rules
from accounts.organizations.founding import add_member
from accounts.organizations.settings import AddAccount, ChangeSecurity, add_account, change_security
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
from accounts.service_users.rotate import replaceable, rotate_key
from policies.access import grant
from policies.changes import cancel, decide, propose
from policies.freezes.freeze import freeze
from policies.freezes.places import Place
from policies.models import ChangeRequest, Freeze, Group, Policy
from policies.operations import (
    LIFT,
    LONGER,
    ChangeGroup,
    ConfigurePolicy,
    CreateGroup,
    FreezeLonger,
    LiftFreeze,
    LockPolicy,
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
from policies.operations.group_rosters import roster_of
from policies.registry import all_operations
from policies.workflows import Right, Workflow
from portal.treasury.models import Address
from portal.treasury.operations import (
    AddAddress,
    RemoveAddress,
    RenameAddress,
    add_address,
    remove_address,
    rename_address,
)
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.kraken.connection.connecting import connect
from portal.venues.kraken.connection.disconnecting import disconnect
from portal.venues.kraken.connection.params import AddCredential, Disconnect, RemoveCredential
from portal.venues.kraken.connection.replacing import add_credential, remove_credential
from portal.venues.kraken.models import Connection, Credential, Purpose
from portal.venues.kraken.settle.params import Outcome, Settle
from portal.venues.kraken.settle.settling import settle_withdrawal
from tests.factories import connection as exchange
from tests.factories import people
from tests.factories.full_house import House, newcomer, user_of
from tests.factories.world import EVERY_PERMISSION
from tests.policies.rehearsing import rehearse


def fill(house: House) -> None:
    """Ask for all of it; the Owner asks little, so that they find the rest waiting for them."""
    asked = (_money, _access, _connection, _groups, _bots, _policies, _rehearsals, _freezes)
    for change in (change for ask in asked for change in ask(house)):
        house.requests[change.operation] = change
    missing = {entry.key for entry in all_operations()} - set(house.requests)
    assert not {key for key in missing if not key.startswith("tests.")}, missing
    _end_some(house)


def _money(house: House) -> Iterator[ChangeRequest]:
    ana, world = house.world.members["ana"], house.world
    cold = Address.objects.get(organization=world.organization, key="eth-cold")
    bank = Address.objects.get(organization=world.organization, key="usd-bank")
    yield propose(
        add_address,
        actor=ana,
        params=AddAddress(world.account.pk, "new-cold", "XXBT", "Bitcoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
    )
    yield propose(rename_address, actor=ana, params=RenameAddress(world.account.pk, cold.pk, cold.key, "eth-vault"))
    yield propose(remove_address, actor=ana, params=RemoveAddress(world.account.pk, bank.pk, bank.key))
    bot = world.bot("treasury-bot")
    yield request_withdrawal(
        actor=bot.service_user, api_key=bot.key, account=world.account, key="btc-cold", asset="XBT", amount=Decimal(1)
    )


def _access(house: House) -> Iterator[ChangeRequest]:
    ana, world = house.world.members["ana"], house.world
    cleo, fay, audit = (world.members[name] for name in ("cleo", "fay", "audit"))
    yield propose(
        invite_member, actor=ana, params=InviteMember("n@demo.test", "N", (("manage_access", "approve", None),))
    )
    yield propose(take_back_invitation, actor=ana, params=TakeBack(house.invitation.pk, house.invitation.email))
    held = grants.of(audit)
    yield propose(change_rights, actor=ana, params=ChangeRights(audit.pk, held, held[:1]))
    yield propose(remove_member, actor=ana, params=RemoveMember(cleo.pk, ("Approve",)))
    yield propose(keep_out, actor=ana, params=KeepOut(fay.pk))
    yield propose(reset_factors, actor=ana, params=ResetFactors(fay.pk))
    yield propose(lift_member_suspension, actor=ana, params=LiftMemberSuspension(house.suspended.pk))
    yield propose(lift_stops, actor=ana, params=all_of(ana))
    shown = newcomer(world, "lars")
    check = IdentityCheck.objects.get(member=shown)
    yield propose(verify_identity, actor=cleo, params=VerifyIdentity(shown.pk, str(check.handle)))
    now = sign_in_rules.of(world.organization)
    yield propose(
        change_security, actor=ana, params=ChangeSecurity(now, replace(now, idle_minutes=now.idle_minutes - 5))
    )
    yield propose(add_account, actor=ana, params=AddAccount("Reserve"))
    # An offer that is open bars the next one.
    offers = OwnershipOffer.objects.filter(organization=world.organization)
    offers.update(lapsed_at=timezone.now())
    yield propose(transfer_ownership, actor=house.owner, params=TransferOwnership(cleo.pk, house.owner.pk))
    offers.update(lapsed_at=None)


def _connection(house: House) -> Iterator[ChangeRequest]:
    # Whoever reads its other pages finds a paper Account: no exchange is asked for what they show.
    ben, account = house.world.members["ben"], house.vault
    # Ana has asked for as much as one may.
    grant(ben, Workflow.MANAGE_ACCESS, Right.INITIATE)
    made = exchange.connected(account)
    gone = exchange.connected(house.world.account)
    Credential.objects.filter(account=gone.account).update(sealed_secret="", removed_at=timezone.now())
    Connection.objects.filter(pk=gone.pk).update(disconnected_at=timezone.now())
    old = Credential.objects.get(account=account, purpose=Purpose.WITHDRAW)
    new = exchange.proposed(exchange.credential(ben.organization, Purpose.REST))
    yield propose(connect, actor=ben, params=exchange.wanted(ben.organization, "Overseas"))
    yield propose(add_credential, actor=ben, params=AddCredential(account.pk, account.name, new))
    less = RemoveCredential(account.pk, account.name, old.pk, old.public, Purpose.WITHDRAW)
    yield propose(remove_credential, actor=ben, params=less)
    lost = exchange.unknown_withdrawal(account)
    yield propose(
        settle_withdrawal, actor=house.owner, params=Settle(account.pk, lost.reference, Outcome.WENT_OUT, "THEIRS")
    )
    yield propose(disconnect, actor=ben, params=Disconnect(made.account_id, account.name, open_orders=3))


def _groups(house: House) -> Iterator[ChangeRequest]:
    # Ana has asked for as much as one may.
    ben, world = house.world.members["ben"], house.world
    fay, audit = world.members["fay"], world.members["audit"]
    finance = Group.objects.get(organization=world.organization, name="Finance")
    seen = roster_of(finance)
    others = Roster("Treasury", tuple(sorted({*seen.members} - {audit.pk})))
    yield propose(create_group, actor=ben, params=CreateGroup("Board", (fay.pk,)))
    yield propose(change_group, actor=ben, params=ChangeGroup(finance.pk, seen, others))
    yield propose(remove_group, actor=ben, params=RemoveGroup(finance.pk, seen))


def _bots(house: House) -> Iterator[ChangeRequest]:
    ana, world = house.world.members["ana"], house.world
    trading, treasury = world.bot("trading-bot").service_user, world.bot("treasury-bot").service_user
    readonly = world.bot("readonly-bot").service_user
    limits = limits_of(trading)
    yield propose(
        create_service_user,
        actor=ana,
        params=CreateServiceUser(
            "payroll-bot", world.account.pk, EVERY_PERMISSION, None, None, None, False, 0, (), acknowledged=True
        ),
    )
    yield propose(
        change_service_user,
        actor=ana,
        params=ChangeServiceUser(
            trading.pk, trading.account_id, limits, replace(limits, permissions=EVERY_PERMISSION), acknowledged=True
        ),
    )
    yield propose(lift_suspension, actor=ana, params=LiftSuspension(readonly.pk))
    yield propose(remove_service_user, actor=ana, params=RemoveServiceUser(readonly.pk))
    yield propose(revoking.revoke_key, actor=ana, params=revoking.params_of(world.bot("trading-bot").key))
    yield propose(
        rotate_key,
        actor=ana,
        params=RotateKey(
            treasury.pk, treasury.account_id, limits_of(treasury), replaceable(treasury), 24, None, acknowledged=True
        ),
    )


def _policies(house: House) -> Iterator[ChangeRequest]:
    # Ana has asked for as much as one may.
    asker, organization = house.world.members["audit"], house.world.organization
    grant(asker, Workflow.MANAGE_POLICIES, Right.INITIATE)
    # Keys would withdraw at once: it takes somebody with Execute who holds none of them.
    grant(house.world.members["ben"], Workflow.INITIATE_WITHDRAWAL, Right.EXECUTE)
    loosened = ConfigurePolicy(Workflow.MANAGE_ADDRESSES, 1, always=True, open_hours=72)
    yield propose(configure_policy, actor=asker, params=loosened)
    yield propose(remove_policy, actor=asker, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
    yield propose(lock_policy, actor=asker, params=LockPolicy(Workflow.MANAGE_ACCESS, 2, always=True))
    policies = Policy.objects.filter(organization=organization, workflow=Workflow.MANAGE_POLICIES)
    policies.update(is_locked=True)
    yield propose(unlock_policy, actor=asker, params=UnlockPolicy(Workflow.MANAGE_POLICIES))


def _rehearsals(house: House) -> Iterator[ChangeRequest]:
    organization = house.world.organization
    asker = add_member(organization, user_of("iris"), rights=[(workflow, Right.INITIATE) for workflow in Workflow])
    for workflow in Workflow:
        yield rehearse(asker, workflow)


def _freezes(house: House) -> Iterator[ChangeRequest]:
    """Of each workflow; where rights name an Account, of one that nothing else is about, and that goes on."""
    organization, now = house.world.organization, timezone.now()
    quiet = Account.objects.create(organization=organization, name="Quiet", created_at=now)
    asker = add_member(organization, user_of("hana"), rights=[(workflow, Right.INITIATE) for workflow in Workflow])
    for workflow in Workflow:
        place = Place(workflow, quiet.pk, quiet.name) if workflow.by_account else Place(workflow)
        made = freeze(actor=asker, place=place, hours=2, reason="It looks wrong.")
        yield propose(LIFT[workflow], actor=asker, params=LiftFreeze(made.pk, made.label, made.account_id))
        longer = FreezeLonger(made.pk, made.label, made.account_id, now + timedelta(days=9))
        yield propose(LONGER[workflow], actor=asker, params=longer)
        # Others go on asking there; and who froze has one of their own at a time.
        Freeze.objects.filter(pk=made.pk).update(extended_at=now, ended_at=None if workflow.by_account else now)


def _end_some(house: House) -> None:
    """One of each end that a page words differently: carried out, rejected, taken back, past its time."""
    world, owner = house.world, house.owner
    bot = world.bot("treasury-bot")

    def send(actor=bot.service_user, api_key=bot.key, amount=1):
        return request_withdrawal(
            actor=actor, api_key=api_key, account=world.account, key="btc-cold", asset="XBT", amount=Decimal(amount)
        )

    sent = send()
    for name in ("ben", "cleo"):
        _decide(sent, world.members[name], approved=True)
    rejected = send(actor=owner, api_key=None)
    _decide(rejected, world.members["ben"], approved=False)
    taken_back = send()
    cancel(taken_back.reference, actor=owner, reason="Not now.")
    late = send()
    past = timezone.now() - timedelta(minutes=1)
    ChangeRequest.objects.filter(pk=late.pk).update(expires_at=past)
    _decide(house.requests["treasury.withdraw"], world.members["ben"], approved=True)
    house.requests |= {"sent": sent, "rejected": rejected, "taken back": taken_back}


def _decide(change: ChangeRequest, member: Member, *, approved: bool) -> None:
    decide(
        change.reference,
        member=member,
        approved=approved,
        digest=change.digest,
        proof=people.proof(change),
        reason="" if approved else "Not now.",
    )
