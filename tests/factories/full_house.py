"""`Demo Treasury` with something of everything that a page can show: what is stopped, waits, streams or was refused."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.emergency_stop.stop import pause_key, suspend_member, suspend_service_user
from accounts.factors import totp
from accounts.members.identity import checks
from accounts.members.identity.provider import Document
from accounts.members.invite_member import InviteMember, invite_member
from accounts.models import (
    Account,
    ApiKey,
    Authenticator,
    Invitation,
    KeyUse,
    Member,
    Organization,
    OwnershipOffer,
    Recovery,
    RefusedCall,
    SecurityNotice,
    ServiceUser,
    StreamSocket,
    User,
)
from accounts.models.member import Identity
from accounts.organizations.founding import add_member
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import CreateServiceUser, RotateKey
from accounts.service_users.rotate import replaceable, rotate_key
from policies import drafts, snapshot
from policies.access import grant
from policies.changes import propose
from policies.models import ChangeRequest, Group, Policy
from policies.operations import CreateGroup, create_group
from policies.replay import runs
from policies.rules import policy_of
from policies.rules.language import AtLeast, GroupApprovals, Rule, Scope, SumOf, Window
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Right, Workflow
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, add_address
from portal.venues.paper import funding
from tests.factories import people
from tests.factories.authenticator import SoftPasskey
from tests.factories.world import BTC_COLD, EVERY_PERMISSION, PASSWORD, Bot, World, make_bot

APPROVALS = 2


@dataclass
class House:
    """What stands in it, by what pages call it. The Owner reads; Ben is offered the ownership."""

    world: World
    owner: Member
    vault: Account
    unverified: Member
    suspended: Member
    invitation: Invitation
    rotating: ServiceUser
    paused: Bot
    unrevealed: ApiKey
    factor: Authenticator
    elsewhere: Authenticator
    requests: dict[str, ChangeRequest] = field(default_factory=dict)


def furnish(world: World) -> House:
    """All of it but the requests, made by the portal's own functions as long as nothing asks for approvals."""
    owner = world.members["owner"]
    for workflow in Workflow:
        Policy.objects.filter(organization=world.organization, workflow=workflow).delete()
        for right in Right:
            grant(owner, workflow, right)
    vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
    funding.deposit(vault.pk, "BTC", Decimal(5), reference="vault")
    add_book(owner, vault, "vault", 3)
    paused = make_bot(owner, vault, "paused-bot", EVERY_PERMISSION)
    rotating = make_bot(owner, world.account, "rotating-bot", EVERY_PERMISSION).service_user
    house = House(
        world=world,
        owner=owner,
        vault=vault,
        unverified=newcomer(world, "nora"),
        suspended=add_member(
            world.organization, user_of("sam"), rights=[(workflow, Right.INITIATE) for workflow in Workflow]
        ),
        invitation=invite(owner, "guest@demo.test"),
        rotating=rotating,
        paused=paused,
        unrevealed=_unrevealed(owner, world.account),
        factor=Authenticator.objects.get(user=owner.user),
        elsewhere=_elsewhere(world, owner),
    )
    _rotate(owner, rotating)
    _stop(house)
    _tell(house)
    for name, inside in (("Finance", ("ben", "cleo", "audit")), ("Signers", ("ben", "cleo"))):
        add_group(owner, name, *(world.members[short] for short in inside))
    govern(world.organization)
    write_rules(owner)
    return house


def govern(organization: Organization) -> None:
    """A policy on each workflow, for everybody; of withdrawals one with tiers."""
    of_signers = (GroupApprovals(Group.objects.get(organization=organization, name="Signers").pk, 1),)
    tiers = (
        Rule(approvals=APPROVALS),
        Rule(groups=of_signers, amount=Decimal(1000), with_day_sum=True),
        Rule(groups=of_signers, sums=(AtLeast(SumOf((Scope.DESTINATION,), Window.WEEK), Decimal(5000)),)),
    )
    for workflow in Workflow:
        Policy.objects.create(
            organization=organization,
            workflow=workflow,
            approvals=APPROVALS,
            always=True,
            open_hours=72,
            rules=written_rules(tiers) if workflow is Workflow.INITIATE_WITHDRAWAL else [],
            changed_at=timezone.now(),
        )


def write_rules(owner: Member) -> None:
    """A draft of the Owner's on each workflow, and what the one about withdrawals would have meant."""
    for workflow in Workflow:
        drafts.begin(owner, workflow, policy_of(snapshot.policies(owner.organization), workflow))
    runs.start(author=owner, rules=(Rule(approvals=APPROVALS),))


def newcomer(world: World, name: str) -> Member:
    """Somebody who has shown a document, which nobody has judged yet; the Owner invited them."""
    member = Member.objects.create(
        organization=world.organization,
        user=user_of(name),
        identity=Identity.UNVERIFIED,
        joined_at=timezone.now(),
        invited_by=world.members["ben"],
    )
    today = timezone.localdate()
    checks.submit(
        member,
        Document(name, date(1980, 1, 1), "Sweden", "passport", "X1234567", today + timedelta(days=900)),
    )
    return member


def invite(owner: Member, email: str) -> Invitation:
    """One that waits to be accepted."""
    propose(invite_member, actor=owner, params=InviteMember(email, "Guest", (("manage_access", "view", None),)))
    return Invitation.objects.get(email=email)


def add_group(owner: Member, name: str, *members: Member) -> None:
    """A group of these, made at once."""
    propose(create_group, actor=owner, params=CreateGroup(name, tuple(sorted(member.pk for member in members))))


def add_book(owner: Member, account: Account, name: str, number: int) -> None:
    """So many addresses of one Account."""
    for place in range(number):
        params = AddAddress(account.pk, f"{name}-{place}", "XXBT", "Bitcoin", BTC_COLD if place == 0 else _other(place))
        propose(add_address, actor=owner, params=params)


def _other(place: int) -> str:
    addresses = ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
    return addresses[place % len(addresses)]


def user_of(short: str) -> User:
    user = User.objects.create_user(f"{short}@demo.test", PASSWORD, name=f"{short.title()} Long")
    totp.enrol(user, totp.offer(user.email))
    return user


def _unrevealed(owner: Member, account: Account) -> ApiKey:
    params = CreateServiceUser(
        name="waiting-bot",
        account_id=account.pk,
        permissions=EVERY_PERMISSION,
        expires_at=None,
        query_start=None,
        query_end=None,
        websocket=True,
        nonce_window=0,
        ip_allow_list=(),
        acknowledged=True,
    )
    propose(create_service_user, actor=owner, params=params)
    return ApiKey.objects.get(service_user__name="waiting-bot")


def _rotate(owner: Member, bot: ServiceUser) -> None:
    params = RotateKey(
        service_user_id=bot.pk,
        account_id=bot.account_id,
        limits=limits_of(bot),
        replaced=replaceable(bot),
        overlap_hours=24,
        expires_at=None,
        acknowledged=True,
    )
    propose(rotate_key, actor=owner, params=params)


def _stop(house: House) -> None:
    """One of each kind of emergency stop runs, pulled by Ana."""
    ana = house.world.members["ana"]
    suspend_member(actor=ana, member=house.suspended, reason="Their laptop is gone.")
    suspend_service_user(actor=ana, service_user=house.world.bot("readonly-bot").service_user, reason="It hangs.")
    pause_key(actor=ana, api_key=house.paused.key, reason="It calls at night.")


def _elsewhere(world: World, owner: Member) -> Authenticator:
    """The Owner has a further place, and there a factor that does not count here."""
    place = people.also_in(world.elsewhere, owner.user, identity=Identity.VERIFIED)
    app = Authenticator.objects.create(
        user=owner.user, name="Old phone", confirmed=True, sealed_seed="-", created_at=timezone.now()
    )
    app.places.add(place)
    SoftPasskey().enrolled(owner.user)
    return app


def _tell(house: House) -> None:
    """What is not about rights: notices, a recovery that runs, an offer, an open socket, what keys did."""
    now = timezone.now()
    owner, key = house.owner, house.world.bot("treasury-bot").key
    SecurityNotice.objects.create(user=owner.user, kind="factors_reset", at=now)
    Recovery.objects.create(member=house.world.members["fay"], announced_at=now, opens_at=now + timedelta(hours=48))
    OwnershipOffer.objects.create(
        organization=house.world.organization,
        to=house.world.members["ben"],
        request="OFFERED",
        offered_at=now,
        expires_at=now + timedelta(hours=72),
    )
    StreamSocket.objects.create(
        api_key=key, service_user=key.service_user, process="p", number=1, opened_at=now, seen_at=now
    )
    KeyUse.objects.create(api_key=key, day=timezone.localdate(), kind="Balance", refused=False, calls=7)
    RefusedCall.objects.create(api_key=key, at=now, method="Withdraw", answer="EAPI:Invalid key", reason="invalid_key")


def grow(house: House) -> None:
    """More of everything of which there can be more."""
    world, owner, now = house.world, house.owner, timezone.now()
    policies = list(Policy.objects.filter(organization=world.organization))
    Policy.objects.filter(organization=world.organization).delete()
    for number in range(3):
        name = f"more{number}"
        rights = [(workflow, Right.APPROVE) for workflow in Workflow]
        add_member(world.organization, user_of(name), rights=rights)
        newcomer(world, f"new{number}")
        make_bot(owner, house.vault, f"bot-{number}", EVERY_PERMISSION)
        invite(owner, f"guest{number}@demo.test")
        add_group(owner, f"Team {number + 2}", *(world.members[short] for short in ("ana", "ben", "fay")))
        Account.objects.create(organization=world.organization, name=f"Vault {number}", created_at=now)
        SecurityNotice.objects.create(user=owner.user, kind="factors_reset", at=now)
        SoftPasskey().enrolled(owner.user, name)
        for short in ("treasury-bot", "trading-bot"):
            key = world.bot(short).key
            StreamSocket.objects.create(
                api_key=key, service_user=key.service_user, process=short, number=number, opened_at=now, seen_at=now
            )
            KeyUse.objects.create(api_key=key, day=timezone.localdate(), kind=name, refused=False, calls=1)
            RefusedCall.objects.create(
                api_key=key, at=now, method=name, answer="EAPI:Invalid key", reason="invalid_key"
            )
    for number in range(4):
        Address.objects.create(
            organization=world.organization,
            account=house.vault,
            key=f"more-{number}",
            asset="XXBT",
            method="Bitcoin",
            network="Bitcoin",
            address=f"{BTC_COLD[:12]}{number}{BTC_COLD[13:]}",
            added_by=owner.label,
            added_at=now,
        )
    suspend_service_user(
        actor=world.members["ana"], service_user=world.bot("trading-bot").service_user, reason="It hangs too."
    )
    for key in ApiKey.objects.filter(service_user__name__startswith="bot-").order_by("pk")[:2]:
        pause_key(actor=world.members["ana"], api_key=key, reason="It calls at night too.")
    Policy.objects.bulk_create(policies)
    open_ones = ChangeRequest.objects.of(world.organization).open()
    kept = [field.attname for field in ChangeRequest._meta.concrete_fields if field.name != "id"]
    ChangeRequest.objects.bulk_create(
        ChangeRequest(
            **{
                **{name: getattr(change, name) for name in kept},
                "number": 1000 + place,
                "reference": f"MORE{place}",
                "subject": "",
            }
        )
        for place, change in enumerate([*open_ones.exclude(operation="treasury.withdraw")] * 2)
    )
