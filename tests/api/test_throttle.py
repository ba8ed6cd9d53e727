"""Sources that keep failing."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.api import throttle

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.API_LOCKOUT_FAILURES = 3
    settings.API_LOCKOUT = timedelta(minutes=15)
    settings.API_FLOOD_MAXIMUM = 5.0
    settings.API_FLOOD_DECAY = 1.0


def fail(times: int, source: str = HERE, at: datetime = NOW) -> None:
    for _ in range(times):
        throttle.failed(source, at)


def test_failures_in_a_row_lock_their_source_out_and_nobody_else():
    """AP-7: lockout is by source, never by key."""
    fail(2)
    assert not throttle.is_locked_out(HERE, NOW)
    fail(1)
    assert throttle.is_locked_out(HERE, NOW)
    assert not throttle.is_locked_out(ELSEWHERE, NOW)


def test_a_lockout_ends_and_asking_meanwhile_starts_it_anew():
    fail(3)
    assert throttle.is_locked_out(HERE, NOW + timedelta(minutes=14))
    assert throttle.is_locked_out(HERE, NOW + timedelta(minutes=28))
    assert not throttle.is_locked_out(HERE, NOW + timedelta(minutes=44))


def test_a_call_that_passes_ends_the_row():
    fail(2)
    throttle.passed(HERE)
    fail(2)
    assert not throttle.is_locked_out(HERE, NOW)


def test_a_flood_is_not_looked_at_until_it_has_leaked_away():
    """AP-12: flood limit per source before the HMAC."""
    fail(5)
    assert not throttle.is_flooding(HERE, NOW)
    fail(1)
    assert throttle.is_flooding(HERE, NOW)
    assert not throttle.is_flooding(ELSEWHERE, NOW)
    assert not throttle.is_flooding(HERE, NOW + timedelta(seconds=1))


def test_an_ipv6_network_counts_as_one_source():
    fail(2, "2001:db8::1")
    fail(1, "2001:db8::ffff:2")
    assert throttle.is_locked_out("2001:db8::3", NOW)
    assert not throttle.is_locked_out("2001:db8:0:1::3", NOW)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(throttle, "SOURCES", 10)
    for number in range(50):
        throttle.failed(f"192.0.2.{number}", NOW)
    assert len(throttle._records) == 10
