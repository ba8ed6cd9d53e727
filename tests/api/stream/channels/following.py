"""What a private channel tells one key: how things stand, and each event of the journal after that."""

import json
from decimal import Decimal
from typing import Any

import msgspec

from accounts.api_keys import lifecycle
from portal.api.stream.channels.private_registry import PRIVATE
from portal.venues.journal import reading
from portal.venues.registry import venue
from tests.factories.world import Bot

Frame = list[dict[str, Any]]


class Follower:
    """A subscription to one channel, as a client sees its frames."""

    def __init__(self, bot: Bot, channel: str, **params: object) -> None:
        self.channel = PRIVATE[channel]
        self.options = self.channel.read({"channel": channel, "token": "x", **params})
        self.bot = bot
        self.venue = venue(self.credential.venue)
        self.place = 0
        self.first = self._begin()

    @property
    def credential(self) -> lifecycle.Credential:
        """The key as it is now, which a socket learns within moments."""
        lifecycle.forget(self.bot.public)
        found = lifecycle.find(self.bot.public)
        assert found is not None
        return found

    def rest(self) -> list[Frame]:
        """The frames of all that has happened since."""
        events = reading.events(self.credential.account_id, self.place, self.venue)
        self.place = events[-1].number if events else self.place
        told = [self.channel.rows(each.event, self.options, self.credential) for each in events]
        return [read(frame) for frames in told for frame in frames]

    def _begin(self) -> list[Frame]:
        with self.venue.still(self.credential.account_id):
            frames = self.channel.snapshot(self.venue, self.credential, self.options)
            self.place = reading.place(self.credential.account_id)
        return [read(frame) for frame in frames]


def read(frame: object) -> Frame:
    """The rows of a frame, with numbers as they are written."""
    found: Frame = json.loads(msgspec.json.encode(frame), parse_float=Decimal)
    return found
