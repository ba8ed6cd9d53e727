"""From the journal to the sockets: each Account that somebody listens to is read from where it was read last.

A wake-up only says where to look. Whatever it was that did not come, nothing is lost: the journal is looked at every
second all the same.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, NoReturn

from django.db import Error
from django.utils import timezone

from portal.api.stream.connection import BROKEN, LATER
from portal.api.stream.delivery.subscription import Private
from portal.api.stream.threads import run, run_news
from portal.core.database import outage
from portal.core.observing.meters import Histogram
from portal.venues.journal import reading, wakeup
from portal.venues.journal.reading import Journalled, Lost
from portal.venues.registry import venue

logger = logging.getLogger(__name__)

# Events of one Account that are read at once; the rest follows at once.
PAGE: Final = 500
CATCH_UP_SECONDS: Final = 1.0
LAG: Final = Histogram(
    "countersign_journal_lag_seconds", "From the moment an event was written until sockets were told, of the last read."
)


@dataclass(slots=True, eq=False)
class Feed:
    """The journal of one Account as this process has read it, and who is told of it."""

    account_id: int
    venue: str
    place: int = 0
    listeners: set[Private] = field(default_factory=set)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class Feeds:
    """All Feeds of this process. Touched by the event loop alone."""

    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self._woken: set[int] = set()
        self._wake = asyncio.Event()

    def join(self, listener: Private, venue_name: str) -> None:
        """Tell the listener everything after its place. What others heard meanwhile is read again for it alone."""
        account_id = listener.account_id
        feed = self._feeds.get(account_id)
        if feed is None:
            feed = self._feeds[account_id] = Feed(account_id, venue_name, place=listener.place)
        feed.place = min(feed.place, listener.place)
        feed.listeners.add(listener)
        self.look(frozenset({account_id}))

    def leave(self, listener: Private) -> None:
        """Tell the listener nothing any more."""
        feed = self._feeds.get(listener.account_id)
        if feed is not None:
            feed.listeners.discard(listener)
            if not feed.listeners:
                del self._feeds[listener.account_id]

    def look(self, account_ids: frozenset[int] | None) -> None:
        """Something may have happened to these Accounts; None: to any."""
        self._woken |= set(self._feeds) if account_ids is None else account_ids & set(self._feeds)
        if self._woken:
            self._wake.set()

    async def listen(self) -> NoReturn:
        """Wait for wake-ups, for ever."""
        await wakeup.listen(self.look)

    async def deliver(self) -> NoReturn:
        """Read what has been journalled, and tell it, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            woken, self._woken = self._woken, set()
            try:
                await self._read(await self._behind(woken))
            except Error as error:
                outage.note(error)
                # Looked at again with the next wake-up, a second from now at the latest.
                logger.warning("The journal could not be read: %s", outage.in_words(error))

    async def catch_up(self) -> NoReturn:
        """Have carried out what comes due by the clock for those who listen, for ever."""
        while True:
            await asyncio.sleep(CATCH_UP_SECONDS)
            by_venue: dict[str, list[int]] = {}
            for feed in self._feeds.values():
                by_venue.setdefault(feed.venue, []).append(feed.account_id)
            for name, account_ids in by_venue.items():
                try:
                    await run(venue(name).catch_up, account_ids)
                except Error as error:
                    logger.warning("Accounts could not be brought up to now: %s", outage.in_words(error))

    async def _behind(self, woken: Collection[int]) -> list[Feed]:
        feeds = [self._feeds[account_id] for account_id in woken if account_id in self._feeds]
        if len(feeds) <= 1:
            return feeds
        places = await run_news(reading.places, [feed.account_id for feed in feeds])
        return [feed for feed in feeds if places.get(feed.account_id, 0) > feed.place]

    async def _read(self, feeds: Collection[Feed]) -> None:
        await asyncio.gather(*(self._read_one(feed) for feed in feeds))

    async def _read_one(self, feed: Feed) -> None:
        async with feed.reading:
            while feed.listeners:
                after = feed.place
                try:
                    events = await run_news(reading.events, feed.account_id, after, venue(feed.venue), PAGE)
                except Lost:
                    self._lose(feed, after)
                    return
                except Error:
                    raise
                except Exception:
                    # To read it again would be to fail again: others wait for nothing, and a snapshot leads past it.
                    logger.exception("The journal of an Account could not be understood")
                    self._lose(feed, after)
                    return
                _tell(feed, after, events)
                _note_lag(events)
                if len(events) < PAGE:
                    return

    def _lose(self, feed: Feed, after: int) -> None:
        """Whoever is so far behind that the journal does not go back there begins anew."""
        for listener in [each for each in feed.listeners if each.place <= after]:
            listener.connection.close(LATER, "You are too far behind. Reconnect for a new snapshot.")
            feed.listeners.discard(listener)
        feed.place = min((each.place for each in feed.listeners), default=after)


def _tell(feed: Feed, after: int, events: list[Journalled]) -> None:
    for event in events:
        for listener in tuple(feed.listeners):
            try:
                listener.take(event)
            except Exception:
                # It would miss what it was to be told just now; the others are told it all the same.
                logger.exception("An event could not be told to a socket")
                feed.listeners.discard(listener)
                listener.connection.close(BROKEN, "Internal error. Reconnect for a new snapshot.")
    # Somebody who joined while this was read, from further back, is read for next.
    if events and feed.place == after:
        feed.place = events[-1].number


def _note_lag(events: list[Journalled]) -> None:
    if events and events[-1].written_at is not None:
        LAG.observe(max((timezone.now() - events[-1].written_at).total_seconds(), 0.0))
