"""Which Redis the sentinels name: asked by a thread of its own, so that no call waits for more than one Redis.

`redis+sentinel://[:password@]host:26379,host:26379/NAME/0`, where the password is Redis's; that of the
sentinels, if they have one, is `?sentinel_password=`.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

SCHEME: Final = "redis+sentinel"
PORT: Final = 26379
PLACE: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
# Seconds between two questions, and what is waited for one sentinel.
ASKED_EVERY: Final = 1.0
ANSWERS_WITHIN: Final = 0.25

Place = tuple[str, int]
Client = redis.Redis


@dataclass(frozen=True, slots=True)
class Named:
    """What such a URL says."""

    sentinels: tuple[Place, ...]
    name: str
    database: int
    password: str | None
    sentinel_password: str | None


def read(url: str) -> Named:
    """What the URL says. Raises: ValueError if it names no sentinel or no master."""
    netloc, _, rest = url.removeprefix(f"{SCHEME}://").partition("/")
    path, _, query = rest.partition("?")
    user, _, where = netloc.rpartition("@")
    name, _, database = path.strip("/").partition("/")
    found = [PLACE.fullmatch(each) for each in where.split(",")]
    places = [(each[1].strip("[]"), int(each[2] or PORT)) for each in found if each]
    if not name or len(places) < len(found):
        raise ValueError(f"REDIS_URL: {SCHEME}://[:password@]host:26379,host:26379/NAME/0 is expected.")
    of_sentinels = parse_qs(query).get("sentinel_password", [None])[0]
    password = unquote(user.partition(":")[2]) or None
    return Named(tuple(places), name, int(database or 0), password, of_sentinels)


class Followed:
    """The client of the Redis that is master now. `made` makes one for a host and a port."""

    def __init__(self, named: Named, made: Callable[[str, int], Client]) -> None:
        self._named, self._made = named, made
        self._at: Place | None = None
        self._client: Client | None = None
        self._lock = Lock()
        self._asker: Thread | None = None

    def client(self) -> Client:
        """For the master as last known; nobody is asked. Raises: redis.ConnectionError before any was named."""
        if self._asker is None or not self._asker.is_alive():
            self._begin()
        if self._client is None:
            raise redis.ConnectionError("no sentinel has named a master yet")
        return self._client

    def look(self) -> None:
        """Ask the sentinels, one after the other, until one answers, and go to whom it names."""
        for place in self._named.sentinels:
            try:
                at = self._ask(place)
            except (redis.RedisError, OSError):
                continue
            if at is not None:
                self._follow(at)
                return

    def _ask(self, place: Place) -> Place | None:
        sentinel: Any = redis.Redis(
            host=place[0], port=place[1], password=self._named.sentinel_password, decode_responses=True,
            socket_timeout=ANSWERS_WITHIN, socket_connect_timeout=ANSWERS_WITHIN, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        try:
            said = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", self._named.name)
        finally:
            sentinel.close()
        return (str(said[0]), int(said[1])) if said else None

    def _follow(self, at: Place) -> None:
        if at != self._at:
            if self._at is not None:
                logger.warning("Redis is %s:%s now", *at)
            self._at, self._client = at, self._made(*at)

    def _begin(self) -> None:
        with self._lock:
            # A thread does not live through a fork.
            if self._asker is None or not self._asker.is_alive():
                self._asker = Thread(target=self._again_and_again, name="sentinels", daemon=True)
                self._asker.start()

    def _again_and_again(self) -> None:
        while True:
            self.look()
            time.sleep(ASKED_EVERY)
