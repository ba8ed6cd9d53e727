"""Redis watched by sentinels: counters go on at the next master, and no call waits longer than for one Redis."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from portal.api.limits import lockout, sentinels, shared_counters
from portal.api.limits.sentinels import Named
from tests import ports, redis_server
from tests.redis_server import RedisServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = "192.0.2.7"
# What one call waits for Redis at most, and what a busy machine may add to it.
PATIENCE, BUSY = 0.25, 0.25
SECONDS = 40.0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "redis+sentinel://:p%40%2Fw@s1:26379,s2:26380/main/3?sentinel_password=other",
            Named((("s1", 26379), ("s2", 26380)), "main", 3, "p@/w", "other"),
        ),
        (
            "redis+sentinel://s1,[::1]:5,[::2]/main",
            Named((("s1", 26379), ("::1", 5), ("::2", 26379)), "main", 0, None, None),
        ),
    ],
)
def test_the_url_names_sentinels_master_and_database(url, said):
    assert sentinels.read(url) == said


@pytest.mark.parametrize("url", ["redis+sentinel://s1:26379", "redis+sentinel:///main/0"])
def test_a_url_without_sentinels_or_a_master_says_what_is_expected(url):
    with pytest.raises(ValueError, match="is expected"):
        sentinels.read(url)


@dataclass
class Watched:
    master: RedisServer
    replica: RedisServer
    sentinels: list[RedisServer]

    @property
    def url(self) -> str:
        where = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{where}/countersign/0"


@pytest.fixture
def watched(tmp_path) -> Iterator[Watched]:
    with redis_server.running(tmp_path) as master:
        replica = RedisServer(ports.lasting(), tmp_path, options=("--replicaof", f"127.0.0.1 {master.port}"))
        own = [RedisServer(ports.lasting(), tmp_path) for _ in range(3)]
        try:
            replica.start()
            for sentinel in own:
                sentinel.watch(master)
            soon(lambda: all(_knows(sentinel) for sentinel in own), "sentinels know each other and the replica")
            yield Watched(master, replica, own)
        finally:
            for server in (*own, replica):
                server.stop()


def _knows(sentinel: RedisServer) -> bool:
    client = redis.Redis(port=sentinel.port, decode_responses=True)
    try:
        said: Any = client.sentinel_master("countersign")
    except redis.RedisError:
        return False
    finally:
        client.close()
    return (said["num-slaves"], said["num-other-sentinels"]) == (1, 2)


def soon(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture
def counted(watched, settings, monkeypatch) -> Iterator[Watched]:
    """The portal with such a REDIS_URL."""
    assert shutil.which("redis-server")
    monkeypatch.setattr(shared_counters, "AWAY_SECONDS", 0.5)
    settings.REDIS_URL = watched.url
    yield watched
    lockout._made.cache_clear()


def longest(times: int) -> float:
    """Seconds of the slowest of so many failed calls."""
    found = 0.0
    for _ in range(times):
        began = time.monotonic()
        lockout.failed(HERE, NOW)
        lockout.standing(HERE, NOW)
        found = max(found, time.monotonic() - began)
    return found


def in_redis(server: RedisServer) -> bool:
    client = redis.Redis(port=server.port)
    try:
        return bool(client.keys(shared_counters.PREFIX + "failures:*"))
    finally:
        client.close()


def is_shared() -> bool:
    return lockout.place() == lockout.Place("redis", is_degraded=False)


def test_counters_go_on_at_the_next_master_and_no_call_waits_long(counted):
    assert longest(3) < PATIENCE + BUSY
    soon(is_shared, "the first master is found")
    longest(3)
    assert in_redis(counted.master)
    counted.master.process.kill()
    counted.master.process.wait(10)
    counted.master.process = None
    end = time.monotonic() + SECONDS
    slowest = longest(1)
    # Nobody is let through uncounted meanwhile.
    assert lockout.standing(HERE, NOW).in_a_row >= 1
    while not is_shared():
        assert time.monotonic() < end
        slowest = max(slowest, longest(5))
    assert slowest < 2 * PATIENCE + BUSY
    longest(3)
    assert in_redis(counted.replica)


def test_without_a_sentinel_each_process_counts_for_itself(counted):
    for sentinel in counted.sentinels:
        sentinel.stop()
    assert longest(3) < PATIENCE + BUSY
    assert lockout.place().is_degraded
    assert lockout.standing(HERE, NOW).in_a_row == 3
