"""A replay of many requests: read some thousand at a time, in one pass, whatever the rules."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.models import ChangeRequest, Group, State
from policies.replay import runs
from policies.replay.comparison import Difference
from policies.rules.language import (
    SERVICE_USER,
    AtLeast,
    GroupApprovals,
    Rule,
    Scope,
    SumOf,
    Window,
    initiator_id,
)
from portal.treasury.measures.past import AT_A_TIME
from portal.treasury.models import Address, Withdrawal
from tests.policies.replay.told import counted
from tests.policies.simulator.conftest import govern

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
# 50 dollars up to 5,000, again and again.
WORTH = tuple(range(5_000, 500_000, 4_950))


def many_asked(world, bot, count, *, first=0) -> None:
    """So many withdrawals of the last 80 days, each sent a quarter of an hour after it was asked."""
    begins, every = timezone.now() - timedelta(days=80), timedelta(days=79) / count
    account, organization = world.account, world.organization
    asked_at = [begins + number * every for number in range(count)]
    ChangeRequest.objects.bulk_create(
        [
            ChangeRequest(
                organization=organization, number=10_000_000 + first + number, reference=f"many-{first + number}",
                workflow="initiate_withdrawal", operation="treasury.withdraw", account=account, title="-",
                service_user=bot.service_user, api_key=bot.key, initiator_label="-", params={}, digest="-",
                approvals_required=1, state=State.EXECUTED, created_at=at, expires_at=at + timedelta(hours=72),
                ended_at=at,
            )
            for number, at in enumerate(asked_at)
        ],
        batch_size=1000,
    )  # fmt: skip
    made = ChangeRequest.objects.filter(reference__startswith="many-", number__gte=10_000_000 + first).order_by(
        "number"
    )
    address = Address.objects.filter(account=account).first()
    Withdrawal.objects.bulk_create(
        [
            Withdrawal(
                organization=organization, account=account, change_id=pk, reference=f"many-{first + number}",
                address=address, asset="ZUSD", amount_units=10**6, fee_units=1, created_at=at,
                value_hundredths=WORTH[number % len(WORTH)], destination=f"Bank · {number % 300}",
                initiator=initiator_id(SERVICE_USER, bot.service_user.pk), sent_at=at + timedelta(minutes=15),
            )
            for number, (at, pk) in enumerate(zip(asked_at, made.values_list("pk", flat=True), strict=True))
        ],
        batch_size=1000,
    )  # fmt: skip


def draft(group) -> tuple[Rule, ...]:
    """Tiers with their sums, and three further sums of other scopes and windows."""
    to_one = SumOf((Scope.DESTINATION,), Window.WEEK)
    return (
        Rule(approvals=1),
        Rule(approvals=2, amount=Decimal(2_000), with_day_sum=True),
        Rule(groups=(GroupApprovals(group, 1),), amount=Decimal(4_000)),
        Rule(approvals=3, sums=(AtLeast(to_one, Decimal(60_000)),)),
        Rule(approvals=2, delay_hours=24, sums=(AtLeast(SumOf((Scope.INITIATOR,), Window.MONTH), Decimal(10**8)),)),
        Rule(approvals=2, sums=(AtLeast(SumOf((Scope.ASSET,), Window.HOUR), Decimal(20_000)),)),
    )


@pytest.fixture
def board(world) -> Group:
    return Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())


def test_statements_grow_with_the_pages_alone(world, ben, treasury_bot, board, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 0)
    govern(world.organization, Rule(approvals=1))
    counts = []
    for first, size in ((0, AT_A_TIME // 2), (AT_A_TIME // 2, 2 * AT_A_TIME)):
        many_asked(world, treasury_bot, size, first=first)
        replay = runs.start(author=ben, rules=draft(board.pk))
        with CaptureQueriesContext(connection) as found:
            assert runs.run_next()
        replay.refresh_from_db()
        asked = first + size
        assert (replay.state, counted(replay).total) == ("done", asked)
        # One for each page, and one that says how far it is for each thousand.
        pages, words = -(-asked // AT_A_TIME), asked // runs.SAYS_AFTER
        counts.append(len(found) - pages - words)
        assert counted(replay).counts[Difference.MORE] > 0
    assert counts[0] == counts[1]
