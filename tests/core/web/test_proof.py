"""How long a second factor that was shown serves, and for what (security SU-1, SU-2)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from portal.core.clocks import SKEW
from portal.core.errors import Refused
from portal.core.factors import TOTP
from portal.core.web.http import Proof, refuse_sending_unproved

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def stopped(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def shown(before=timedelta(), change="", digest="") -> Proof:
    return Proof(factor=TOTP, at=NOW - before, change=change, digest=digest)


@pytest.mark.parametrize(
    ("before", "is_fresh"),
    [
        (-SKEW - MOMENT, False),
        (-SKEW, True),
        (timedelta(), True),
        (settings.STEP_UP_FRESH - MOMENT, True),
        (settings.STEP_UP_FRESH, False),
    ],
    ids=[
        "from a time to come",
        "by a clock that is a little ahead",
        "just now",
        "at the last moment",
        "a moment too long ago",
    ],
)
def test_a_factor_is_fresh_for_five_minutes(before, is_fresh):
    assert timedelta(minutes=5) == settings.STEP_UP_FRESH
    assert shown(before).is_fresh is is_fresh


def test_a_factor_shown_for_one_thing_serves_for_nothing_else():
    assert not shown().is_bound
    assert shown(change="one").is_bound
    assert shown(digest="as read").is_bound
    bound = shown(change="one", digest="as read")
    assert bound.is_for("one", "as read")
    assert not bound.is_for("another", "as read")
    assert not bound.is_for("one", "as it is now")


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (None, "sent at once"),
        (shown(), "sent at once"),
        (shown(change="another", digest="as read"), "sent at once"),
        (shown(change="one", digest="as it is now"), "sent at once"),
        (shown(settings.STEP_UP_FRESH, "one", "as read"), "too long ago"),
        (shown(-SKEW - MOMENT, "one", "as read"), "too long ago"),
    ],
)
def test_nothing_is_sent_at_once_without_a_factor_shown_for_it(proof, words):
    with pytest.raises(Refused, match=words) as refused:
        refuse_sending_unproved(proof, "one", "as read")
    assert refused.value.field == "code"


def test_what_a_fresh_factor_was_shown_for_is_sent():
    refuse_sending_unproved(shown(settings.STEP_UP_FRESH - MOMENT, "one", "as read"), "one", "as read")
