"""How a withdrawal is seen by rules, before it has a row and later, and what its row remembers of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import cycle, product

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.measures import Foreseen, measures
from policies.models import Policy, State
from policies.rules.language import (
    INFINITE,
    MEMBER,
    SERVICE_USER,
    AtLeast,
    Rule,
    Scope,
    SumOf,
    Window,
    initiator_id,
)
from policies.snapshot.stored_rules import written_rules
from portal.core.errors import NotFound
from portal.treasury import expired_holds, withdrawals
from portal.treasury.models import Withdrawal
from portal.treasury.operations import Withdraw
from tests.treasury.measures.conftest import COLD

pytestmark = pytest.mark.django_db
DAY = SumOf((), Window.DAY)


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


def test_a_withdrawal_is_seen_as_it_is_asked(asked_now, world, treasury_bot):
    found = asked_now(DAY)
    assert (found.value, found.asset, found.account, found.destination) == (
        Decimal(64), "XXBT", str(world.account.pk), COLD,
    )  # fmt: skip
    assert found.initiator == initiator_id(SERVICE_USER, treasury_bot.service_user.pk)
    assert found.asked_by == "key"
    assert 0 <= found.age_hours < 24


def test_what_is_foreseen_is_seen_like_what_is_asked(asked_now, world, treasury_bot, left):
    left("10.00")
    asset, bot = "XXBT", initiator_id(SERVICE_USER, treasury_bot.service_user.pk)
    sums = (DAY, SumOf((Scope.INITIATOR,), Window.WEEK))
    foreseen = measures().foreseen(
        world.organization, Foreseen(world.account.pk, asset, Decimal("0.001"), COLD, bot), sums
    )
    asked = asked_now(*sums)
    assert replace(foreseen, age_hours=asked.age_hours) == asked


def test_nothing_is_foreseen_for_an_account_of_somebody_else(world):
    theirs = world.elsewhere.accounts.get()
    with pytest.raises(NotFound):
        measures().foreseen(world.organization, Foreseen(theirs.pk, "XXBT", Decimal(1), COLD, "member:1"), ())


def test_a_row_remembers_what_it_was_worth_where_it_leads_and_who_asked(ask, treasury_bot):
    row = ask().withdrawal
    assert (row.value_hundredths, row.destination) == (8_000_000, COLD)
    assert row.initiator == initiator_id(SERVICE_USER, treasury_bot.service_user.pk)
    assert (row.sent_at, row.released_at) == (None, None)


def test_a_member_is_remembered_as_one(ask, ana):
    assert ask(actor=ana, api_key=None).withdrawal.initiator == initiator_id(MEMBER, ana.pk)


def test_what_is_sent_is_valued_again_and_counts_from_then(ask, approve, ben, cleo, settings, tmp_path):
    change = ask("1")
    prices = tmp_path / "prices.csv"
    prices.write_text("time,pair,price\n2020-01-01T00:00:00+00:00,XBT/USD,70000\n")
    settings.PAPER_PRICES = f"csv:{prices}"
    approve(change, ben, cleo)
    row = Withdrawal.objects.get(change=change)
    assert row.value_hundredths == 7_000_000
    assert row.sent_at is not None
    assert timezone.now() - row.sent_at < timedelta(minutes=1)
    assert row.released_at is None


def test_without_a_price_the_last_known_value_stands(ask, approve, ben, cleo, world):
    change = ask("1")
    type(world.organization).objects.update(currency="GBP")
    approve(change, ben, cleo)
    assert Withdrawal.objects.get(change=change).value_hundredths == 6_400_000


def test_what_was_never_known_is_empty(ask, world, treasury_bot):
    type(world.organization).objects.update(currency="GBP")
    treasury_bot.service_user.organization.refresh_from_db()
    assert ask("1").withdrawal.value_hundredths is None


def test_what_is_given_back_is_noted(ask, treasury_bot, world):
    row = ask().withdrawal
    withdrawals.cancel_withdrawal(actor=treasury_bot.service_user, account_id=world.account.pk, reference=row.reference)
    row.refresh_from_db()
    assert row.released_at is not None
    assert row.sent_at is None


def test_what_is_overdue_leaves_the_sum_with_its_hold(ask, asked_now, world):
    row = ask().withdrawal
    with time_machine.travel(timezone.now() + timedelta(hours=73), tick=False):
        expired_holds.forget()
        assert asked_now(DAY).sums[DAY] == asked_now().value
        expired_holds.release_due(world.account.pk)
        row.refresh_from_db()
        assert row.released_at == timezone.now()
        assert row.change.state == State.EXPIRED


def test_a_request_that_waits_is_not_counted_twice(ask, asked_now):
    change = ask("0.001")
    address = change.withdrawal.address
    params = Withdraw.to(address, amount=Decimal("0.001"), fee=Decimal("0.00005"))
    assert measures().situation(change, params, (DAY,)).sums[DAY] == Decimal(64)
    assert asked_now(DAY).sums[DAY] == Decimal(128)


def test_a_currency_without_prices_makes_everything_infinite(asked_now, world):
    type(world.organization).objects.update(currency="GBP")
    world.organization.refresh_from_db()
    found = asked_now(DAY)
    assert found.value == found.sums[DAY] == INFINITE


def test_it_costs_three_statements_however_many_sums_there_are(asked_now):
    """The Account, the sums, the age: prices of the paper exchange are reckoned."""
    for sums in ((), (DAY,), tuple(SumOf((), window) for window in Window)):
        with CaptureQueriesContext(connection) as queries:
            asked_now(*sums)
        assert len(queries) - 1 == 3, queries.captured_queries


def test_a_withdrawal_costs_as_much_with_one_rule_and_with_fifty(ask, approve, ben, world):
    """P7: its opening and its decision."""
    costs = []
    for count in (1, 50):
        rules = [
            Rule(approvals=1, sums=(AtLeast(SumOf((scope,), window), Decimal(10 + place)),))
            for place, (scope, window) in zip(range(count), cycle(product(Scope, Window)), strict=False)
        ]
        Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(
            rules=written_rules(rules)
        )
        expired_holds.forget()
        with CaptureQueriesContext(connection) as queries:
            change = ask("0.001")
        asked = len(queries)
        with CaptureQueriesContext(connection) as queries:
            assert approve(change, ben).state == State.EXECUTED
        costs.append((asked, len(queries)))
    assert costs[0] == costs[1]
