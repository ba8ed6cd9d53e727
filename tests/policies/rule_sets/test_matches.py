"""Which past withdrawals each rule matched, as its page counts them (DESIGN P7)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.measures import measures
from policies.replay import matches as counting
from policies.replay.matches import matches
from policies.rules.language import AtLeast, Rule, SumOf
from portal.treasury.withdrawals import request_withdrawal

ANYTHING, BY_MEMBER = Rule(approvals=1), Rule(approvals=1, asked_by="member")


@pytest.fixture
def ask(world, treasury_bot):
    def asked(amount="0.01"):
        return request_withdrawal(
            actor=treasury_bot.service_user,
            account=world.account,
            key="btc-cold",
            asset="XXBT",
            amount=Decimal(amount),
            api_key=treasury_bot.key,
        )

    return asked


def test_each_rule_has_its_own_newest_first(world, ask):
    first, second = ask(), ask()
    found = matches(world.organization, (ANYTHING, BY_MEMBER), timezone.now())
    assert (found.total, found.is_cut) == (2, False)
    assert found.found == ((second.pk, first.pk), ())


def test_a_sum_is_that_of_then(world, ask):
    """The second of two alike is the one that reaches it."""
    first, second = ask(), ask()
    value = _value(world)
    reached = Rule(approvals=1, sums=(AtLeast(SumOf(), (value * Decimal("1.5")).quantize(Decimal("0.01"))),))
    both = Rule(approvals=1, sums=(AtLeast(SumOf(), Decimal("0.01")),))
    found = matches(world.organization, (reached, both), timezone.now())
    assert found.found == ((second.pk,), (second.pk, first.pk))


def _value(world) -> Decimal:
    past = next(iter(measures().past(world.organization, timezone.now() - timedelta(days=1))))
    return past.situation.value


def test_a_page_waits_for_so_many_and_says_so(world, ask, monkeypatch):
    """The latest are looked at, and none twice."""
    monkeypatch.setattr(counting, "MOST", 2)
    _, second, third = ask(), ask(), ask()
    found = matches(world.organization, (ANYTHING,), timezone.now())
    assert found.is_cut
    assert found.found == ((third.pk, second.pk),)
    assert found.total == 2


def test_nothing_of_another_organization_is_counted(world, ask):
    ask()
    assert matches(world.elsewhere, (ANYTHING,), timezone.now()).total == 0


def test_more_rules_take_no_more_statements(world, ask):
    ask()
    counts = []
    for rules in ((ANYTHING,), (ANYTHING, BY_MEMBER) * 25):
        with CaptureQueriesContext(connection) as queries:
            matches(world.organization, rules, timezone.now())
        counts.append(len(queries))
    assert counts[0] == counts[1]
