"""Sums as they were then, and what two policies ask of the past: against a reading that takes no shortcut."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.replay.answers import asker
from policies.replay.comparison import Difference, compare
from policies.replay.moments import moments
from tests.policies.replay.history import POLICIES, START, SUMS, asked_of, past, people, total


@given(past(), st.lists(SUMS, unique=True, max_size=4))
def test_each_sum_is_what_was_executed_within_its_window_or_held_then(everything, sums):
    seen = list(moments(everything, sums))
    for moment in seen:
        expected = [total(moment.past, everything, each, is_opening=moment.is_opening) for each in sums]
        assert list(moment.totals) == expected
    assert len(seen) == len(everything) + sum(each.sent_at is not None for each in everything)


@pytest.mark.slow
@settings(max_examples=250)
@given(past(), people(), POLICIES, POLICIES)
def test_the_past_is_asked_for_the_larger_of_opening_and_execution(everything, facts, before, after):
    expected: Counter[Difference] = Counter()
    for each in everything:
        initiator = asker(each.situation.initiator, facts, int(each.situation.account))
        (old, could), (new, can) = (asked_of(each, everything, facts, terms, initiator) for terms in (before, after))
        expected.update(said_plainly(old, could, new, can))
    found = compare(everything, facts, before, after, since=START)
    assert found.total == len(everything)
    assert found.counts == expected


def said_plainly(old, could, new, can):
    if new.is_denied and not old.is_denied:
        yield Difference.DENIED
    if old.is_denied and not new.is_denied:
        yield Difference.ALLOWED
    if not old.is_denied and not new.is_denied:
        was, now = counts(old), counts(new)
        if any(now[group] > was[group] for group in now):
            yield Difference.MORE
        elif any(now[group] < was[group] for group in was):
            yield Difference.FEWER
        if new.delay_hours > old.delay_hours:
            yield Difference.DELAYED
        if new.delay_hours < old.delay_hours:
            yield Difference.SOONER
    was_stuck, is_stuck = not old.is_denied and not could, not new.is_denied and not can
    if is_stuck and not was_stuck:
        yield Difference.STUCK
    if was_stuck and not is_stuck and not new.is_denied:
        yield Difference.FREED


def counts(demand):
    """Of all as many as of any group."""
    return Counter({**dict(demand.groups), None: max(demand.approvals, *(count for _, count in demand.groups), 0)})
