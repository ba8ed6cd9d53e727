"""The same counters in Redis, for all processes together. Imported where there is one: its client takes a while.

None of this is kept for good: a lost counter is a source forgiven.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from portal.api.limits import sentinels
from portal.api.limits.failure_counters import KEPT, SKEW_SECONDS, Counter, InProcess

logger = logging.getLogger(__name__)

# A counter that nothing has touched for this long says nothing any more.
FORGOTTEN_SECONDS: Final = 24 * 3600
# How long this process does without Redis after it failed, so that not every call waits for it.
AWAY_SECONDS: Final = 5.0
# Most sources have never failed. That is remembered, so that their calls do not ask Redis each time.
CLEAN_SECONDS: Final = 1.0
PREFIX: Final = "countersign:calls:"

# The counter leaks first, then takes the cost; all in one step, so that no failure is lost between two processes. A
# clock that is behind the last one leaks nothing, and never adds. `Counter.add` is the same in the process.
COUNT: Final = """
local had = redis.call('HMGET', KEYS[1], 'level', 'level_at', 'in_a_row', 'until')
local now = tonumber(ARGV[1])
local level_at = tonumber(had[2] or 0)
local level = math.max(tonumber(had[1] or 0) - math.max(now - level_at, 0) * tonumber(ARGV[2]), 0) + tonumber(ARGV[5])
local row = tonumber(had[3] or 0) + 1
local at = ARGV[1]
if level_at > now and level_at - now <= tonumber(ARGV[4]) then at = had[2] end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'level_at', at, 'in_a_row', row)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {tostring(level), at, tostring(row), had[4] or '0'}
"""


class InRedis:
    """Counters shared by all processes. Raises: redis.RedisError from each call when Redis does not answer."""

    def __init__(self, url: str) -> None:
        self._given: redis.Redis | sentinels.Followed
        if url.startswith(f"{sentinels.SCHEME}:"):
            named = sentinels.read(url)
            more = {"db": named.database, "password": named.password}
            self._given = sentinels.Followed(named, lambda host, port: _made(redis.Redis, host=host, port=port, **more))
        else:
            self._given = _made(redis.Redis.from_url, url)
        self._script = Script(redis.Redis(), COUNT)
        self._clean: OrderedDict[str, float] = OrderedDict()

    @property
    def _client(self) -> redis.Redis:
        return self._given if isinstance(self._given, redis.Redis) else self._given.client()

    def look(self, name: str) -> Counter | None:
        """That nothing is known is believed for CLEAN_SECONDS, without asking again."""
        if self._clean.get(name, 0.0) > time.monotonic():
            return None
        had: Any = self._client.hmget(PREFIX + name, ["level", "level_at", "in_a_row", "until"])
        if had == [None] * 4:
            self._clean[name] = time.monotonic() + CLEAN_SECONDS
            while len(self._clean) > KEPT:
                self._clean.popitem(last=False)
            return None
        return _counter(had)

    def count(self, name: str, moment: float, cost: float = 1.0) -> Counter:
        """By one script that runs in Redis, so that no two processes count past each other."""
        self._clean.pop(name, None)
        had: Any = self._script(
            client=self._client,
            keys=[PREFIX + name],
            args=[repr(moment), repr(settings.API_FLOOD_DECAY), FORGOTTEN_SECONDS, repr(SKEW_SECONDS), repr(cost)],
        )
        return _counter(had)

    def set_until(self, name: str, until: float) -> None:
        """Forgotten with the rest of the counter, FORGOTTEN_SECONDS later."""
        self._clean.pop(name, None)
        self._client.hset(PREFIX + name, "until", repr(until))
        self._client.expire(PREFIX + name, FORGOTTEN_SECONDS)

    def calm(self, name: str) -> None:
        """A counter is forgotten no later for that."""
        self._client.hset(PREFIX + name, "in_a_row", "0")

    def clear(self) -> None:
        """Of every process."""
        self._clean.clear()
        for key in self._client.scan_iter(PREFIX + "*"):
            self._client.delete(key)

    def write(self) -> None:
        """A counter of nobody's: a full Redis answers a ping, and takes nothing more."""
        self._client.set(f"{PREFIX}probe", "1", ex=60)


class Shared:
    """Counters in Redis while it answers, and in the process while it does not."""

    kept_in = "redis"

    def __init__(self, url: str) -> None:
        self._redis = InRedis(url)
        self._own = InProcess()
        self._away_until = 0.0

    def look(self, name: str) -> Counter | None:
        """What Redis knows; without it, what this process has counted meanwhile."""
        if self._is_there():
            try:
                return self._redis.look(name)
            except redis.RedisError:
                self._lost()
        return self._own.look(name)

    def count(self, name: str, moment: float, cost: float = 1.0) -> Counter:
        """In this process where Redis does not answer, so that nobody is let through uncounted."""
        if self._is_there():
            try:
                return self._redis.count(name, moment, cost)
            except redis.RedisError:
                self._lost()
        return self._own.count(name, moment, cost)

    def set_until(self, name: str, until: float) -> None:
        """A time set while Redis is away holds in this process alone."""
        if self._is_there():
            try:
                return self._redis.set_until(name, until)
            except redis.RedisError:
                self._lost()
        return self._own.set_until(name, until)

    def calm(self, name: str) -> None:
        """A row that ends while Redis is away ends in this process alone."""
        if self._is_there():
            try:
                return self._redis.calm(name)
            except redis.RedisError:
                self._lost()
        return self._own.calm(name)

    def clear(self) -> None:
        """Forget both, and that Redis was away."""
        self._own.clear()
        self._away_until = 0.0
        try:
            self._redis.clear()
        except redis.RedisError:
            self._lost()

    def answers(self) -> bool:
        """Whether Redis is there now and takes something; asked by whoever looks after the portal."""
        try:
            self._redis.write()
        except redis.RedisError:
            self._lost()
            return False
        self._away_until = 0.0
        return True

    def is_away(self) -> bool:
        """As this process last knew; asks nothing."""
        return not self._is_there()

    def _is_there(self) -> bool:
        return time.monotonic() >= self._away_until

    def _lost(self) -> None:
        if self._is_there():
            logger.warning("Redis does not answer: this process counts failed calls by itself meanwhile")
        self._away_until = time.monotonic() + AWAY_SECONDS


def _made(client: Callable[..., redis.Redis], *where: str, **more: Any) -> redis.Redis:
    """One that gives up after a quarter of a second, and asks once."""
    patience = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "retry": Retry(NoBackoff(), 0)}
    return client(*where, decode_responses=True, **patience, **more)


def _counter(had: list[str | None]) -> Counter:
    level, level_at, in_a_row, until = (each or "0" for each in had)
    return Counter(float(level), float(level_at), int(in_a_row), float(until))
