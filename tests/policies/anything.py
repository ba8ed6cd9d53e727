"""An Organization with anything in it that can stand there: the same one for the same seed."""

from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

from django.utils import timezone

from accounts.models import Account, ApiKey, Custodian, Passkey, ServiceUser
from accounts.models.organization import OwnershipOffer
from accounts.service_users.params import LiftSuspension
from accounts.service_users.reinstate_and_remove import lift_suspension
from policies import registry
from policies.models import ChangeRequest, Grant, Group, GroupMember
from policies.operations import (
    ChangeGroup,
    ConfigurePolicy,
    CreateGroup,
    LockPolicy,
    RemovePolicy,
    Roster,
    change_group,
    configure_policy,
    create_group,
    lock_policy,
    remove_policy,
)
from policies.operations.group_rosters import roster_of
from policies.payload import encode
from policies.rules.language import GroupApprovals, Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Right, Workflow
from tests.policies.conftest import House, make_house, make_user
from tests.policies.operations import Send, Tidy, send, tidy

PERMISSIONS: tuple[list[str], ...] = (["withdraw-funds"], ["query-funds"], ["query-funds", "withdraw-funds"], [])
LONG_AGO, LATER = timedelta(days=9), timedelta(days=2)
WAITING = timedelta(hours=3)


def chance(dice, one_in=3):
    return dice.randrange(one_in) == 0


def someone(dice, house, number) -> None:
    """A Member who may be anything: suspended, removed, resting, unverified, without a factor, with any rights."""
    now = timezone.now()
    member = house.member(
        f"m{number}", user=make_user(f"m{number}-{house.organization.pk}", factor=not chance(dice, 4))
    )
    if chance(dice, 4):
        row = Passkey.objects.create(
            user=member.user, name="key", confirmed=not chance(dice), credential_id=f"{member.pk}".encode(),
            public_key=b"-", sign_count=0, aaguid="00000000-0000-0000-0000-000000000000", created_at=now,
        )  # fmt: skip
        row.places.add(member)
    if chance(dice, 5):
        member.suspended_at = now
        member.suspended_until = now + LATER if chance(dice, 2) else None
    member.removed_at = now if chance(dice, 8) else None
    member.identity = "unverified" if chance(dice, 6) else "verified"
    if chance(dice, 6):
        member.factors_reset_at = now - LONG_AGO
        member.factors_enrolled_at = now - (LONG_AGO if chance(dice) else WAITING)
    member.save()
    places = [None, *house.organization.accounts.all()]
    Grant.objects.bulk_create(
        Grant(
            member=member, workflow=workflow, right=right, account=dice.choice(places) if workflow.by_account else None
        )
        for workflow, right in product(Workflow, Right)
        if chance(dice)
    )


def some_bot(dice, house, number) -> None:
    now = timezone.now()
    bot = ServiceUser.objects.create(
        organization=house.organization,
        account=dice.choice(list(house.organization.accounts.all())),
        name=f"bot-{dice.randrange(100)}-{number}",
        permissions=dice.choice(PERMISSIONS),
        created_at=now,
        changed_at=now,
        suspended_at=now if chance(dice, 4) else None,
        removed_at=now if chance(dice, 6) else None,
    )
    for place in range(dice.randrange(5)):
        some_key(dice, house, bot, place)


def some_key(dice, house, bot, place) -> None:
    now = timezone.now()
    state = dice.choice(["live", "live", "expired", "revoked", "unclaimed"])
    key = ApiKey.objects.create(
        service_user=bot,
        public=f"{bot.pk}-{place}",
        sealed_secret="-",
        made_by=dice.choice(list(house.people.values())),
        created_at=now - (WAITING if chance(dice, 2) else LONG_AGO),
        revealed_at=None if state == "unclaimed" else now,
        revoked_at=now if state == "revoked" else None,
        expires_at=now - WAITING if state == "expired" else dice.choice([None, now + LATER]),
    )
    for member in dice.sample(list(house.people.values()), dice.randrange(3)):
        Custodian.objects.create(api_key=key, member=member, since=now, reason="made it")


def some_group(dice, house, number) -> None:
    """Of anybody, now and then of nobody, and one in four is removed with people in it."""
    now = timezone.now()
    group = Group.objects.create(
        organization=house.organization,
        name=f"G{number}",
        created_at=now,
        removed_at=now if chance(dice, 4) else None,
    )
    people = list(house.people.values())
    for member in dice.sample(people, dice.randrange(len(people) + 1)):
        GroupMember.objects.create(group=group, member=member)


def some_policy(dice, house, workflow) -> None:
    """One of a number, or one that asks for a group besides."""
    policy = house.policy(workflow, dice.randrange(1, 4), always=chance(dice, 2), locked=chance(dice))
    groups = list(house.organization.groups.filter(removed_at=None))
    if groups and chance(dice, 2):
        asked = GroupApprovals(dice.choice(groups).pk, dice.randrange(1, 3))
        policy.rules = written_rules([Rule(policy.approvals, (asked,), always=policy.always)])
        policy.save()


def about_a_group(dice, house) -> list[tuple[Any, Any]]:
    """That somebody comes into one, and somebody else goes out; that there be another one."""
    groups, people = list(house.organization.groups.all()), sorted(member.pk for member in house.people.values())
    some = tuple(sorted(dice.sample(people, dice.randrange(len(people) + 1))))
    changed = [ChangeGroup(group.pk, roster_of(group), Roster(group.name, some)) for group in groups]
    return [(create_group, CreateGroup("Another", some)), *((change_group, params) for params in changed)]


def some_request(dice, house, number) -> None:
    """An open request of anybody, written into the table as it may have come to stand there."""
    bots = [bot for bot in house.organization.service_users.all() if bot.keys.exists()]
    workflow = dice.choice(list(Workflow))
    account = dice.choice(list(house.organization.accounts.all()))
    about = dice.choice(list(house.people.values()))
    run, params = dice.choice(
        [
            (send, Send(account.pk, "1")),
            (send, Send(account.pk, "1")),
            (tidy, Tidy(f"t{number}", about=about.pk)),
            (tidy, Tidy(f"t{number}", withdraw_from=account.pk)),
            (remove_policy, RemovePolicy(workflow)),
            (remove_policy, RemovePolicy(Workflow.INITIATE_WITHDRAWAL)),
            (configure_policy, ConfigurePolicy(workflow, dice.randrange(1, 4), always=True)),
            (lock_policy, LockPolicy(workflow, 1, always=True)),
            *about_a_group(dice, house),
            *[(lift_suspension, LiftSuspension(bot.pk)) for bot in bots[:2]],
        ]
    )
    entry = registry.of(run)
    member = dice.choice(list(house.people.values()))
    bot = dice.choice(bots) if bots and entry.money else None
    now = timezone.now()
    ChangeRequest.objects.create(
        organization=house.organization,
        number=number,
        reference=f"r{house.organization.pk}-{number}",
        workflow=entry.workflow.value,
        operation=entry.key,
        account_id=entry.account(params),
        subject=f"s{number}",
        subject_member_id=entry.subject_member(params),
        title="-",
        member=None if bot else member,
        service_user=bot,
        api_key=dice.choice(list(bot.keys.all())) if bot else None,
        initiator_label="-",
        params=encode(params) if not chance(dice, 9) else {"nobody": "reads this"},
        digest="-",
        approvals_required=1,
        created_at=now,
        expires_at=now + LATER,
    )


def anything(seed) -> House:
    """One Organization with everything that can stand in it."""
    dice = Random(seed)
    house = make_house(f"House {seed}")
    Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    if chance(dice):
        house.organization.second_factor_level = "passkey"
        house.organization.save()
    for number in range(dice.randrange(2, 6)):
        someone(dice, house, number)
    for number in range(dice.randrange(5)):
        some_bot(dice, house, number)
    for number in range(dice.randrange(4)):
        some_group(dice, house, number)
    for workflow in Workflow:
        if chance(dice, 2):
            some_policy(dice, house, workflow)
    if chance(dice):
        now = timezone.now()
        OwnershipOffer.objects.create(
            organization=house.organization, to=dice.choice(list(house.people.values())), request=f"o{seed}",
            offered_at=now, expires_at=now + (LATER if chance(dice, 2) else -WAITING),
        )  # fmt: skip
    for number in range(1, 7):
        some_request(dice, house, number)
    return house
