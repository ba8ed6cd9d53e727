"""Withdrawals asked and decided at the same moment, under sums: parallel ones do not help (P7, splitting)."""

from decimal import Decimal
from functools import partial

import pytest

from policies.changes import decide
from policies.models import ChangeRequest, Policy, State
from policies.rules.language import AtLeast, Rule, SumOf, Window
from policies.snapshot.stored_rules import written_rules
from portal.treasury.errors import OverCap
from portal.treasury.models import Withdrawal
from tests.venues.conftest import together

pytestmark = pytest.mark.django_db(transaction=True)
DAY = SumOf((), Window.DAY)
# A bitcoin is 64,000 dollars where prices stand still: one leaves with one yes, two take another.
RULES = (Rule(approvals=1), Rule(approvals=2, sums=(AtLeast(DAY, Decimal(100_000)),)))


@pytest.fixture(autouse=True)
def _ruled(settings, world):
    settings.PAPER_PRICES = "still"
    policies = Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal")
    policies.update(rules=written_rules(RULES))


def test_two_that_are_asked_at_once_are_counted_together_when_they_are_sent(ask, ben, cleo, fresh):
    """CR-10: neither may have seen the other when it was asked; whichever is sent second counts the first."""
    first, second = together(partial(ask, "1"), partial(ask, "1"))
    assert isinstance(first, ChangeRequest), first
    assert isinstance(second, ChangeRequest), second

    def yes(change, member):
        return partial(
            decide, change.reference, member=member, approved=True, digest=change.digest, proof=fresh(change)
        )

    together(yes(first, ben), yes(second, ben))

    for change in (first, second):
        change.refresh_from_db()
    # What is held counts as what was sent: with one yes none of them leaves while the other waits.
    assert {first.state, second.state} == {State.PENDING}
    together(yes(first, cleo), yes(second, cleo))
    for change in (first, second):
        change.refresh_from_db()
    assert {first.state, second.state} == {State.EXECUTED}
    assert all(change.decisions.count() == 2 for change in (first, second))


def test_one_that_was_asked_alone_counts_what_came_after_it(ask, ben, fresh):
    """R4: what is asked now is the larger."""
    first = ask("1")
    assert first.approvals_required == 1
    ask("1")
    change = decide(first.reference, member=ben, approved=True, digest=first.digest, proof=fresh(first))
    assert change.state == State.PENDING


def test_two_keys_calls_at_once_never_send_more_than_the_cap(ask, treasury_bot, world):
    """At once, since no policy governs them: each runs under the history's lock."""
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").delete()
    type(treasury_bot.service_user).objects.filter(pk=treasury_bot.service_user.pk).update(
        daily_cap_hundredths=10_000_000
    )
    treasury_bot.service_user.refresh_from_db()

    results = together(partial(ask, "1"), partial(ask, "1"))

    assert sum(isinstance(result, OverCap) for result in results) == 1, results
    assert Withdrawal.objects.filter(sent_at__isnull=False).count() == 1
