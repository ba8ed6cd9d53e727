"""What pages cost beside a bare one in a house of a busy year, and whether they grow with what lies behind them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, User
from accounts.organizations.founding import add_member
from benchmarks.ratio import Ratio, Work, compare
from policies.changes import propose
from policies.models import ChangeRequest, Policy, State
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, add_address
from portal.treasury.withdrawals import request_withdrawal
from tests.factories import people
from tests.factories.world import EVERY_PERMISSION, PASSWORD, Bot, World, make_bot

REPEATS: Final = 10
# Of each ten requests that were asked, one waits.
REQUESTS, LITTLE, WAITS = 10_000, 100, 10
MEMBERS, BOTS = 200, 60
# The smallest page there is for who is signed in: through all middleware, with the session read and nothing shown.
BARE: Final = ("accounts:here", "")
PAGES: Final = (
    ("the inbox", "policies:inbox", ""),
    ("what was asked by me", "policies:inbox", "?tab=asked"),
    ("what is done", "policies:inbox", "?tab=done"),
    ("members", "accounts:members", ""),
    ("policies", "policies:policies", ""),
    ("the history", "dashboard:history", ""),
)
# What lies behind these is not shown on them.
GROWING: Final = (("what is done", "policies:inbox", "?tab=done"), ("the history", "dashboard:history", ""))


@dataclass(frozen=True, slots=True)
class Side:
    """One Organization's reader at their browser."""

    member: Member
    client: Client

    def opens(self, route: str, query: str, *args: object) -> Work:
        """Work that opens that page once, and fails where it does not answer 200."""

        def work() -> None:
            answer = self.client.get(reverse(route, args=args) + query)
            assert answer.status_code == 200, (route, answer.status_code)

        return work


def ratios(world: World) -> Iterator[Ratio]:
    """In `Demo Treasury` an approver reads, whom much waits for; its neighbour holds little of the same."""
    owner, eve = world.members["owner"], world.members["eve"]
    _people_and_bots(owner)
    waiting = _fill(owner, world.bot("treasury-bot"), REQUESTS)
    _fill(eve, world.bot("eve-bot"), LITTLE)
    much, asker, little = (_side(member) for member in (world.members["ben"], owner, eve))
    house = f"{REQUESTS} requests, {MEMBERS} members, {BOTS} bots"
    bare = much.opens(*BARE)
    for what, route, query in PAGES:
        yield _page(f"{what} over {house}", much.opens(route, query), bare)
    yield _page(f"a request over {house}", much.opens("policies:request", "", waiting.reference), bare)
    for what, route, query in GROWING:
        yield compare(
            f"{what} over {REQUESTS} requests",
            asker.opens(route, query),
            f"over {LITTLE}",
            little.opens(route, query),
            repeats=REPEATS,
        )


def _page(subject: str, opens: Work, bare: Work) -> Ratio:
    return compare(subject, opens, "a bare page", bare, repeats=REPEATS, states_milliseconds=True)


def _side(member: Member) -> Side:
    client = Client()
    client.post(reverse("accounts:sign_in"), {"email": member.user.email, "password": PASSWORD})
    client.post(reverse("accounts:verify"), {"code": people.code(member)})
    return Side(member, client)


def _people_and_bots(owner: Member) -> None:
    password = make_password(None)
    account = owner.organization.accounts.get(name="Main")
    rights = [Right.INITIATE, Right.APPROVE, Right.VIEW]
    for number, right in zip(range(MEMBERS - owner.organization.members.count()), cycle(rights), strict=False):
        user = User.objects.create(email=f"member{number}@demo.test", name=f"Member {number:03}", password=password)
        add_member(owner.organization, user, rights=[(workflow, right) for workflow in Workflow])
    held = list(Policy.objects.filter(organization=owner.organization))
    Policy.objects.filter(organization=owner.organization).delete()
    for number in range(BOTS - owner.organization.service_users.count()):
        make_bot(owner, account, f"bot-{number:02}", EVERY_PERMISSION)
    Policy.objects.bulk_create(held)


def _fill(owner: Member, bot: Bot, number: int) -> ChangeRequest:
    """So many requests of two kinds, and events, of which some wait; gives one that does."""
    account = owner.organization.accounts.get(name="Main")
    # Always, so that what the owner asks waits. Whoever is alone has no policy, and what they ask is done at once.
    Policy.objects.filter(organization=owner.organization).update(always=True)
    cold = Address.objects.get(organization=owner.organization, account=account, asset="XXBT", removed_at=None)
    params = AddAddress(account.pk, "later", "XXBT", "Bitcoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy")
    asked = [propose(add_address, actor=owner, params=params)]
    if Policy.objects.filter(organization=owner.organization, workflow=Workflow.INITIATE_WITHDRAWAL).exists():
        asked.append(
            request_withdrawal(
                actor=bot.service_user, api_key=bot.key, account=account, key=cold.key, asset="XBT", amount=Decimal(1)
            )
        )
    now = timezone.now()
    ChangeRequest.objects.bulk_create(
        _copy(change, turn, now) for turn, change in zip(range(number), cycle(asked), strict=False)
    )
    with transaction.atomic():
        for _ in range(number // 4):
            record(EventKind.ACCESS_DENIED, actor=owner, outcome="refused", path="/policies/")
    return asked[-1]


def _copy(change: ChangeRequest, turn: int, now: datetime) -> ChangeRequest:
    kept = {field.attname: getattr(change, field.attname) for field in ChangeRequest._meta.concrete_fields}
    waits = turn % WAITS == 0
    return ChangeRequest(
        **kept
        | {
            "id": None,
            "number": 1000 + turn,
            "reference": f"B{change.organization_id}-{turn:06}",
            "subject": "",
            "state": State.PENDING if waits else State.EXECUTED,
            "ended_at": None if waits else now,
            "expires_at": now + timedelta(days=2, seconds=turn),
        }
    )
