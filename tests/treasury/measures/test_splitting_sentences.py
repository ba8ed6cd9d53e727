"""Splitting, sentence by sentence: what a sum counts, when it is looked at, and what the page says of its scope."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from policies import changes
from policies.models import Group, GroupMember, Policy, State
from policies.rules.language import AtLeast, Demand, GroupApprovals, Rule, Scope, SumOf, Window
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow

pytestmark = pytest.mark.django_db
# 0.01 BTC are worth 641 dollars where prices stand still.
LITTLE, LIMIT = "0.01", Decimal(1000)


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


@pytest.fixture
def board(world, cleo):
    group = Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())
    GroupMember.objects.create(group=group, member=cleo)
    return group.pk


@pytest.fixture
def govern(world, board):
    """One approval of whatever leaves, and one of the board where the rule says so."""

    def with_rule(**when):
        rules = (Rule(approvals=1), Rule(groups=(GroupApprovals(board, 1),), **when))
        policy = Policy.objects.get(organization=world.organization, workflow=Workflow.INITIATE_WITHDRAWAL)
        policy.rules, policy.approvals, policy.always = written_rules(rules), 1, True
        policy.save()

    return with_rule


def daily(*scope, window=Window.DAY):
    return {"sums": (AtLeast(SumOf(scope, window), LIMIT),)}


@pytest.fixture
def bare():
    return Demand(1)


@pytest.fixture
def of_the_board(board):
    return Demand(1, ((board, 1),))


def test_the_last_payment_counts_all_earlier_ones_that_were_sent_and_itself(
    ask, approve, ben, govern, bare, of_the_board
):
    govern(**daily())
    first = ask(LITTLE)
    assert (first.required, approve(first, ben).state) == (bare, State.EXECUTED)
    second = ask(LITTLE)
    assert (second.required, approve(second, ben).state) == (of_the_board, State.PENDING)


def test_held_requests_count_so_parallel_ones_do_not_help(ask, govern, bare, of_the_board):
    govern(**daily())
    assert [ask(LITTLE).required for _ in range(3)] == [bare, of_the_board, of_the_board]


def test_counting_again_at_execution_stops_those_that_waited(ask, approve, ben, cleo, govern, bare):
    govern(**daily())
    waited, other = ask(LITTLE), ask(LITTLE)
    assert waited.required == bare
    assert approve(other, cleo).state == State.EXECUTED
    assert approve(waited, ben).state == State.PENDING
    assert approve(waited, cleo).state == State.EXECUTED


@pytest.mark.parametrize("end", ["rejected", "expired", "cancelled"])
def test_what_is_rejected_or_has_expired_leaves_the_sum(ask, ben, fresh, govern, bare, owner, end):
    govern(**daily())
    change = ask(LITTLE)
    if end == "rejected":
        changes.decide(
            change.reference, member=ben, approved=False, digest=change.digest, proof=fresh(change), reason="Not now."
        )
    elif end == "cancelled":
        changes.cancel(change.reference, actor=change.service_user)
    else:
        with time_machine.travel(change.expires_at + timedelta(seconds=1), tick=False):
            assert ask(LITTLE).required == bare
        return
    assert ask(LITTLE).required == bare


def test_what_left_before_the_window_counts_no_more(ask, approve, ben, govern, bare, of_the_board):
    govern(**daily(window=Window.HOUR))
    sent = approve(ask(LITTLE), ben)
    with time_machine.travel(sent.ended_at + timedelta(minutes=59), tick=False):
        second = ask(LITTLE)
        assert second.required == of_the_board
        changes.cancel(second.reference, actor=second.service_user)
    with time_machine.travel(sent.ended_at + timedelta(minutes=61), tick=False):
        assert ask(LITTLE).required == bare


def test_what_is_held_counts_however_long_ago_it_was_asked(ask, govern, bare, of_the_board):
    govern(**daily(window=Window.HOUR))
    held = ask(LITTLE)
    with time_machine.travel(held.created_at + timedelta(hours=30), tick=False):
        assert ask(LITTLE).required == of_the_board


def test_scopes_can_be_split_by_using_several(ask, govern, bare, of_the_board, ana):
    govern(**daily(Scope.INITIATOR))
    assert [ask(LITTLE).required, ask(LITTLE).required] == [bare, of_the_board]
    assert ask(LITTLE, actor=ana, api_key=None).required == bare


def test_and_the_page_says_so(client, sign_in, owner, govern):
    govern(**daily(Scope.DESTINATION))
    sign_in(client, owner)
    said = client.get(reverse("policies:rules", args=["initiate_withdrawal"])).content.decode()
    assert "Below 1,000 USD within 24 hours" in said
    assert "By several destinations more does." in said


@pytest.mark.parametrize(("ticked", "second"), [(True, "of_the_board"), (False, "bare")])
def test_each_tier_brings_its_sum_over_a_day_along_unless_unticked(ask, govern, request, ticked, second):
    govern(amount=LIMIT, with_day_sum=ticked)
    ask(LITTLE)
    assert ask(LITTLE).required == request.getfixturevalue(second)
