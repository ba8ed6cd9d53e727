"""Whether a page grows with what lies behind it: the same page over little and over much."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from benchmarks.ratio import Ratio, Work, compare
from policies.models import ChangeRequest
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from tests.factories import people
from tests.factories.world import PASSWORD, World

LITTLE, MUCH = 30, 3000
REPEATS = 10
# What grows, and the page that shows it. Each page has more rows than it shows already over little.
PAGES = (("inbox", "policies:inbox", "?tab=all"), ("history", "dashboard:history", ""))


@dataclass(frozen=True, slots=True)
class Side:
    """One Organization's reader at their browser."""

    member: Member
    client: Client

    def opens(self, route: str, query: str) -> Work:
        """Work that opens that page once, and fails where it does not answer 200."""

        def work() -> None:
            answer = self.client.get(reverse(route) + query)
            assert answer.status_code == 200, (route, answer.status_code)

        return work


def ratios(world: World) -> Iterator[Ratio]:
    """`Demo Treasury` holds much, its neighbour little of the same."""
    much, little = _side(world.members["owner"]), _side(world.members["eve"])
    _fill(much.member, MUCH)
    _fill(little.member, LITTLE)
    for what, route, query in PAGES:
        yield compare(
            f"the {what} over {MUCH} rows",
            much.opens(route, query),
            f"over {LITTLE}",
            little.opens(route, query),
            repeats=REPEATS,
        )


def _side(member: Member) -> Side:
    client = Client()
    client.post(reverse("accounts:sign_in"), {"email": member.user.email, "password": PASSWORD})
    client.post(reverse("accounts:verify"), {"code": people.code(member)})
    return Side(member, client)


def _fill(member: Member, number: int) -> None:
    """As many requests that wait, and events, as `number` says."""
    now = timezone.now()
    account = member.organization.accounts.get(name="Main")
    ChangeRequest.objects.bulk_create(
        ChangeRequest(
            organization=member.organization,
            number=1000 + turn,
            reference=f"BENCH{member.pk:03}{turn:06}",
            workflow=Workflow.MANAGE_ADDRESSES,
            operation="treasury.add_address",
            account=account,
            member=member,
            title="Add address",
            initiator_label=member.label,
            params={},
            digest="0" * 64,
            approvals_required=1,
            created_at=now,
            expires_at=now + timedelta(days=2, seconds=turn),
        )
        for turn in range(number)
    )
    with transaction.atomic():
        for _ in range(number):
            record(EventKind.ACCESS_DENIED, actor=member, outcome="refused", path="/policies/")
