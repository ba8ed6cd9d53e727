"""Public channels: what everybody may see, worked out once a second for all who subscribed to the same.

Prices follow from the clock alone, so every node says the same and nothing has to be journalled.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from django.db import Error

from portal.api.stream import frames
from portal.api.stream.channels.public import Data
from portal.api.stream.channels.registry import PUBLIC
from portal.api.stream.connection import Connection
from portal.api.stream.delivery.subscription import SNAPSHOT, UPDATE
from portal.api.stream.threads import run_prices
from portal.core.database import outage
from portal.venues.protocol import Venue
from portal.venues.registry import shown
from portal.venues.types import Pair

logger = logging.getLogger(__name__)

STEP_SECONDS: Final = 1.0
# After the step of the prices has begun, so that a look never finds the one before.
AFTER_SECONDS: Final = 0.02


@dataclass(slots=True, eq=False)
class Topic:
    """One channel of one subject with one set of options: `state` is what was told last."""

    name: str
    subject: Pair | None
    options: Any
    state: Any = None
    listeners: set["Public"] = field(default_factory=set)
    joining: int = 0
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)

    def step(self, venue: Venue) -> Data:
        """Look, and say what has changed since the last look."""
        changed, self.state = PUBLIC[self.name].update(venue, self.subject, self.options, self.state)
        return changed

    def snapshot(self, venue: Venue) -> tuple[Data, Data]:
        """What has changed until now, for those who know the rest; and the whole, for a newcomer."""
        return self.step(venue), PUBLIC[self.name].snapshot(self.subject, self.options, self.state)


@dataclass(slots=True, eq=False)
class Public:
    """A public channel as one socket sees it."""

    connection: Connection
    label: str
    topic: Topic
    is_over: bool = field(default=False, init=False)

    def end(self) -> None:
        """Tell nothing any more."""
        self.is_over = True
        self.topic.listeners.discard(self)


class Markets:
    """All topics of this process. Touched by the event loop alone; what they say is worked out in a thread."""

    def __init__(self) -> None:
        self._topics: dict[tuple[str, str, object], Topic] = {}

    def topic(self, name: str, subject: Pair | None, options: object) -> Topic:
        """The topic that all share who asked for the same; to be joined before anything else is waited for."""
        key = (name, subject.id if subject else "", options)
        return self._topics.setdefault(key, Topic(name, subject, options))

    async def join(self, listener: Public, *, with_snapshot: bool) -> None:
        """Tell the listener how things stand, if it wants to know, and what changes from there."""
        topic = listener.topic
        # Not by its lock, which nobody has for a moment between two who want it.
        topic.joining += 1
        try:
            async with topic.telling:
                changed, whole = await run_prices(topic.snapshot, shown())
                _tell(topic, changed)
                if listener.is_over:
                    return
                if with_snapshot:
                    listener.connection.say(frames.data(topic.name, SNAPSHOT, whole))
                topic.listeners.add(listener)
        finally:
            topic.joining -= 1

    async def tell(self) -> NoReturn:
        """Look at every topic once in each step, for ever."""
        while True:
            await asyncio.sleep(STEP_SECONDS - time.time() % STEP_SECONDS + AFTER_SECONDS)
            self._topics = {key: topic for key, topic in self._topics.items() if topic.listeners or topic.joining}
            for topic in list(self._topics.values()):
                try:
                    async with topic.telling:
                        _tell(topic, await run_prices(topic.step, shown()))
                except Error as error:
                    logger.warning("Prices could not be looked at: %s", outage.in_words(error))
                except Exception:
                    logger.exception("A public channel could not be looked at")


def _tell(topic: Topic, changed: Data) -> None:
    """The same text to everybody: it is made once."""
    if changed and topic.listeners:
        frame = frames.data(topic.name, UPDATE, changed)
        for listener in topic.listeners:
            listener.connection.say(frame)
