"""Redis, where processes count failed calls together."""

import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import redis
from django.conf import settings
from redis.sentinel import Sentinel

from portal.operating.doctor.clock import apart
from portal.operating.doctor.findings import Finding, Words, first_line

BY_SENTINEL: Final = "redis+sentinel"
SENTINEL_PORT: Final = 26379
WAITED: Final = 3.0
SLOW_MILLISECONDS: Final = 50
FULL: Final = 0.9
PROBE: Final = "countersign:doctor"
HERE: Final = {"localhost", "127.0.0.1", "::1", None}
words = Words("redis")


def look() -> Iterator[Finding]:
    """What it says of itself; one key is written, and gone a second later."""
    if not settings.REDIS_URL:
        yield words.warn(
            "REDIS_URL is not set: each process counts failed calls by itself",
            "Fine with one process. With more, set REDIS_URL=redis://host:6379/0 on every node.",
        )
        return
    try:
        if _is_by_sentinel():
            yield from _of_sentinels()
        client = _client()
        # The first one also finds it and connects.
        client.ping()
        began = time.monotonic()
        client.ping()
        took = (time.monotonic() - began) * 1000
        yield from _of(client, took)
    except redis.AuthenticationError as error:
        yield words.wrong(f"{_place()} refuses us: {first_line(error)}", "Put its password into REDIS_URL.")
    except (redis.RedisError, ValueError) as error:
        yield words.wrong(
            f"{_place()} does not answer: {first_line(error)}",
            "See whether it runs (systemctl status redis-server), and whether this machine reaches its port.",
        )


def _of(client: "redis.Redis", took: float) -> Iterator[Finding]:
    info: Any = client.info()
    said = f"{_place()} answers in {took:.0f} ms, Redis {info.get('redis_version', '?')}"
    if took > SLOW_MILLISECONDS:
        yield words.warn(said, "Every failed call asks it, and waits a quarter of a second at most: put it nearer.")
    else:
        yield words.ok(said)
    try:
        client.set(PROBE, "1", px=1000)
    except redis.ReadOnlyError:
        yield words.wrong("it takes no change: a replica", "Name the one that takes changes, or its sentinels.")
    except redis.RedisError as error:
        yield words.wrong(f"it takes no change: {first_line(error)}", "Make room, or let this user write.")
    yield from _memory(info)
    before = time.time()
    there: Any = client.time()
    seconds, microseconds = there
    yield apart("its", seconds + microseconds / 1e6 - (before + time.time()) / 2, words=words)
    if urlsplit(settings.REDIS_URL).hostname not in HERE and not urlsplit(settings.REDIS_URL).password:
        yield words.warn("anybody who reaches it may change what is counted", "Give it a password (requirepass).")


def _memory(info: dict[str, Any]) -> Iterator[Finding]:
    most, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", ""))
    used = int(info.get("used_memory", 0))
    if most and policy == "noeviction" and used > most * FULL:
        yield words.wrong(
            f"its memory is full ({used // 2**20} of {most // 2**20} MB, noeviction): it takes no counter",
            "Raise maxmemory, or set maxmemory-policy volatile-ttl.",
        )
    elif most:
        yield words.ok(f"maxmemory {most // 2**20} MB, {policy}: {used // 2**20} MB in use")


def _client() -> "redis.Redis":
    if not _is_by_sentinel():
        return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=WAITED, socket_connect_timeout=WAITED)
    parts = urlsplit(settings.REDIS_URL)
    name, _, number = parts.path.strip("/").partition("/")
    found: redis.Redis = _sentinels().master_for(  # type: ignore[no-untyped-call]
        name, db=int(number or 0), password=unquote(parts.password) if parts.password else None,
        socket_timeout=WAITED, socket_connect_timeout=WAITED,
    )  # fmt: skip
    return found


def _is_by_sentinel() -> bool:
    return bool(urlsplit(settings.REDIS_URL).scheme == BY_SENTINEL)


def _sentinels() -> Sentinel:
    places = (place.rpartition(":") for place in _place().split(","))
    known = [(host, int(port)) if host else (port, SENTINEL_PORT) for host, _, port in places]
    return Sentinel(known, socket_timeout=WAITED, socket_connect_timeout=WAITED)  # type: ignore[no-untyped-call]


def _of_sentinels() -> Iterator[Finding]:
    """Each of them by itself: with too few nobody is chosen once the one that takes changes is gone."""
    name = urlsplit(settings.REDIS_URL).path.strip("/").partition("/")[0]
    silent = []
    for place, sentinel in zip(_place().split(","), _sentinels().sentinels, strict=True):
        try:
            if not sentinel.sentinel_get_master_addr_by_name(name):
                silent.append(f"{place} does not know {name}")
        except redis.RedisError as error:
            silent.append(f"{place}: {first_line(error)}")
    if silent:
        yield words.warn(f"sentinels: {'; '.join(silent)}", "Start them again: a failover needs most of them.")
    else:
        yield words.ok(f"all sentinels know {name}")


def _place() -> str:
    parts = urlsplit(str(settings.REDIS_URL))
    return str(parts.netloc.rpartition("@")[2] or parts.path)
