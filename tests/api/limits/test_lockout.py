"""Sources that keep failing: counted the same way in the process and in a real Redis."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.api.limits import failure_counters, lockout, shared_counters
from tests.api.calls import Wire, ask_public, only_error

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"
LATER = timedelta(minutes=1)


@pytest.fixture(params=["process", "redis"])
def place(request, settings) -> str:
    """Where it is counted."""
    settings.API_LOCKOUT_FAILURES = 3
    settings.API_LOCKOUT = timedelta(minutes=15)
    settings.API_FLOOD_MAXIMUM = 5.0
    settings.API_FLOOD_DECAY = 1.0
    if request.param == "redis":
        request.getfixturevalue("in_redis")
    return str(request.param)


def fail(times: int, source: str = HERE, at: datetime = NOW) -> None:
    for _ in range(times):
        lockout.failed(source, at)


def is_locked_out(source: str = HERE, at: datetime = NOW) -> bool:
    return lockout.standing(source, at).is_locked_out


def is_flooding(source: str = HERE, at: datetime = NOW) -> bool:
    return lockout.standing(source, at).is_flooding


def test_failures_in_a_row_lock_their_source_out_and_nobody_else(place):
    """AP-7: lockout is by source, never by key."""
    fail(2)
    assert not is_locked_out()
    fail(1)
    assert is_locked_out()
    assert not is_locked_out(ELSEWHERE)


def test_a_lockout_ends_and_asking_meanwhile_starts_it_anew(place):
    fail(3)
    assert is_locked_out(at=NOW + timedelta(minutes=14))
    lockout.asked_while_locked_out(HERE, NOW + timedelta(minutes=14))
    assert is_locked_out(at=NOW + timedelta(minutes=28))
    assert not is_locked_out(at=NOW + timedelta(minutes=30))


def test_a_call_that_passes_ends_the_row(place):
    fail(2)
    lockout.passed(HERE, "key", lockout.standing(HERE, NOW), NOW)
    fail(2)
    assert not is_locked_out()


def test_a_flood_is_not_looked_at_until_it_has_leaked_away(place):
    """AP-12: flood limit per source before the HMAC."""
    fail(5)
    assert not is_flooding()
    fail(1)
    assert is_flooding()
    assert not is_flooding(ELSEWHERE)
    assert not is_flooding(at=NOW + timedelta(seconds=1))


def test_an_ipv6_network_counts_as_one_source(place):
    fail(2, "2001:db8::1")
    fail(1, "2001:db8::ffff:2")
    assert is_locked_out("2001:db8::3")
    assert not is_locked_out("2001:db8:0:1::3")


def test_a_key_is_known_where_it_was_used_for_an_hour(place):
    assert not lockout.is_known(HERE, "key", NOW)
    lockout.passed(HERE, "key", lockout.GOOD, NOW)
    lockout._noted.clear()
    is_shared = place == "redis"
    assert lockout.is_known(HERE, "key", NOW + LATER)
    assert not lockout.is_known(ELSEWHERE, "key", NOW + LATER)
    assert not lockout.is_known(HERE, "other", NOW + LATER)
    assert not lockout.is_known(HERE, "key", NOW + timedelta(minutes=61))
    assert is_shared is (lockout.place().name == "redis")


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(failure_counters, "KEPT", 10)
    own = failure_counters.InProcess()
    for number in range(50):
        own.count(f"failures:192.0.2.{number}", NOW.timestamp())
    assert len(own._counters) == 10


def test_processes_count_together_in_redis(in_redis, settings):
    settings.API_LOCKOUT_FAILURES = 3
    another = shared_counters.InRedis(in_redis.url)
    for _ in range(2):
        another.count("failures:" + HERE, NOW.timestamp())
    fail(1)
    assert is_locked_out()
    another._client.close()


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["127.0.0.1", "203.0.113.9"])
def test_a_burst_from_a_stranger_leaves_the_owner_undisturbed(place, readonly, source):
    """AP-12: burst from a stranger leaves the owner of the key undisturbed, from another address and the same one."""
    readonly.result("Balance")
    stranger = Wire(readonly.bot, source=source)
    errors = [
        only_error(stranger.read(stranger.send("Balance", b"nonce=9", nonce="9", key=key, signature="x")))
        for _ in range(15)
        for key in ("A" * 56, readonly.bot.public)
    ]
    assert errors[-2:] == ["EGeneral:Too many requests"] * 2
    for _ in range(3):
        assert "XXBT" in readonly.result("Balance")


@pytest.mark.django_db
def test_who_was_never_there_is_locked_out_with_its_neighbours(place, readonly):
    """AP-7: lockout is by source; only a key that was used from there lately passes, and only well signed."""
    stranger = Wire(readonly.bot, source="203.0.113.9")
    for _ in range(3):
        stranger.send("Balance", b"nonce=9", nonce="9", key="A" * 56)
    assert only_error(stranger.ask("Balance")) == "EGeneral:Temporary lockout"


@pytest.mark.django_db
def test_public_methods_are_limited_by_source(place, settings, readonly):
    settings.API_LIMITS, settings.API_PUBLIC_MAXIMUM = True, 3.0
    with time_machine.travel(NOW, tick=False) as clock:
        answers = [ask_public("Time")["error"] for _ in range(50)]
        assert answers == [[]] * 3 + [["EGeneral:Too many requests"]] * 47
        clock.shift(1)
        assert ask_public("Time")["error"] == []
    assert "XXBT" in readonly.result("Balance")


@pytest.mark.django_db
def test_a_dear_public_method_counts_as_what_it_takes(place, settings):
    """A stranger's pages of old trades, each made up anew, must not pass as 50 calls of `Time` a second.

    Fifteen a second, far below the limit, took both processes: `Balance` went from 5 ms to 860.
    """
    settings.API_LIMITS, settings.API_PUBLIC_MAXIMUM = True, 60.0
    with time_machine.travel(NOW, tick=False) as clock:
        answers = [ask_public("Trades", pair="XBTUSD", since=str(1_710_000_000 + page))["error"] for page in range(4)]
        assert answers == [[], [], ["EGeneral:Too many requests"], ["EGeneral:Too many requests"]]
        assert ask_public("Time")["error"] == []
        # What leaks in a second here is one of fifty: a page is worth its time again only after that.
        clock.shift(5)
        assert ask_public("Trades", pair="XBTUSD")["error"] == ["EGeneral:Too many requests"]
        clock.shift(15)
        assert ask_public("Trades", pair="XBTUSD")["error"] == []


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(seconds=25)])
def test_a_clock_set_back_adds_nothing_and_leaks_again(place, jump):
    """fault operations-F5: a negative time never adds, in the process and in Redis."""
    fail(2, at=NOW + jump)
    assert not is_flooding()
    fail(3)
    assert not is_flooding()
    fail(1)
    assert is_flooding()
    assert not is_flooding(at=NOW + timedelta(seconds=3))


def test_two_nodes_whose_clocks_differ_refuse_no_public_call(place, settings):
    """fault operations-F5: 25 seconds apart, both asked in turn, at the rate that is allowed."""
    settings.API_LIMITS, settings.API_PUBLIC_MAXIMUM = True, 10.0
    ahead = timedelta(seconds=25)
    for second in range(60):
        at = NOW + timedelta(seconds=second)
        assert lockout.takes_public(HERE, at + ahead)
        assert lockout.takes_public(HERE, at)


@pytest.mark.parametrize("apart", [timedelta(milliseconds=40), timedelta(seconds=4)])
def test_nodes_that_keep_time_count_as_one(place, apart):
    """What leaks does so once, not anew for each pair of calls on two nodes."""
    for _ in range(6):
        lockout.failed(HERE, NOW + apart)
        lockout.failed(HERE, NOW)
    assert is_flooding(at=NOW + apart)
    assert is_flooding()


def test_a_lockout_under_a_clock_that_ran_ahead_ends_with_it(place):
    """fault operations-F5: who failed during the jump is not locked out until the clock has caught up."""
    fail(3, at=NOW + timedelta(hours=2))
    assert is_locked_out(at=NOW + timedelta(hours=2))
    assert not is_locked_out()
    fail(3, at=NOW + timedelta(seconds=25))
    assert is_locked_out()
