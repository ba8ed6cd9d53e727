"""Sources that keep failing while Redis is away: each process goes on counting by itself."""

from datetime import UTC, datetime, timedelta

import pytest
import redis

from portal.api.limits import lockout, shared_counters

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = "192.0.2.7"


def fail(times: int) -> None:
    for _ in range(times):
        lockout.failed(HERE, NOW)


def is_locked_out(at: datetime = NOW) -> bool:
    return lockout.standing(HERE, at).is_locked_out


@pytest.fixture
def three(settings) -> None:
    """Three failures in a row lock a source out for a quarter of an hour."""
    settings.API_LOCKOUT_FAILURES = 3
    settings.API_LOCKOUT = timedelta(minutes=15)


def test_without_its_redis_the_portal_goes_on_and_says_so(in_redis, client, db, caplog):
    ready = client.get("/readyz").json()
    assert (ready["ready"], ready["flood_limit"], ready["counters"]) == (True, "redis", "ok")
    in_redis.stop()
    fail(25)
    assert is_locked_out()
    assert "Redis does not answer" in caplog.text
    response = client.get("/readyz")
    ready = response.json()
    assert response.status_code == 200
    assert (ready["ready"], ready["flood_limit"], ready["counters"]) == (True, "process", "away")
    assert "counters" in ready["degraded"]
    in_redis.start()
    assert client.get("/readyz").json()["flood_limit"] == "redis"
    assert not is_locked_out()


def test_redis_is_not_asked_again_and_again_while_it_is_away(in_redis, monkeypatch):
    in_redis.stop()
    made = lockout._made(in_redis.url)
    assert isinstance(made, shared_counters.Shared)
    asked: list[str] = []

    def look(name):
        asked.append(name)
        raise redis.ConnectionError

    monkeypatch.setattr(made._redis, "look", look)
    for _ in range(10):
        assert not is_locked_out()
    assert len(asked) == 1


def test_a_lockout_that_is_told_while_redis_goes_away_holds(in_redis, three):
    """AP-7: the source that asks at that very moment is not let in."""
    in_redis.stop()
    lockout.asked_while_locked_out(HERE, NOW)
    assert is_locked_out(NOW + timedelta(minutes=14))
    assert not is_locked_out(NOW + timedelta(minutes=16))


def test_a_call_that_passes_while_redis_goes_away_ends_the_row(in_redis, three):
    """Whoever proves itself is not counted on from failures that were before."""
    fail(2)
    before = lockout.standing(HERE, NOW)
    assert before.in_a_row == 2
    in_redis.stop()
    lockout.passed(HERE, "key", before, NOW)
    fail(2)
    assert not is_locked_out()
    fail(1)
    assert is_locked_out()


def test_sources_without_a_failure_fill_no_memory(in_redis, monkeypatch):
    """That most have none is remembered for a second each; whoever asks from many addresses must not make use of it."""
    monkeypatch.setattr(shared_counters, "KEPT", 10)
    counters = shared_counters.InRedis(in_redis.url)
    for number in range(50):
        assert counters.look(f"failures:192.0.2.{number}") is None
    assert len(counters._clean) == 10
    counters._client.close()
