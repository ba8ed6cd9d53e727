"""Sockets answer to their keys at every moment: what changes about a key closes them, or cuts them down.

A key's row has a version that every change of it, of its bot and of its Organization raises: one statement looks at
all keys that have a socket here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn, TypeAlias

from django.db import Error
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason, why_dead
from accounts.api_keys.streaming import sockets
from accounts.models import ApiKey
from portal.api import authentication
from portal.api.protocol.envelope import ApiError
from portal.api.stream import frames
from portal.api.stream.channels.private_registry import PRIVATE
from portal.api.stream.connection import LATER, POLICY, Connection, Ending, Key
from portal.api.stream.delivery.subscription import Private
from portal.api.stream.threads import run_watch
from portal.core.database import outage

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.4
# Without a database nobody can say whether a key still may: its sockets do not outlive that for long.
BLIND_SECONDS: Final = 30.0

REVOKED: Final = Ending(POLICY, "The API key is revoked, and will never work again.")
EXPIRED: Final = Ending(POLICY, "The API key has expired.")
REMOVED: Final = Ending(POLICY, "The bot of this API key is removed.")
STOPPED: Final = Ending(LATER, "The API key is suspended or paused.")
OFF: Final = Ending(LATER, "WebSocket is off for this API key.")
ELSEWHERE: Final = Ending(LATER, "The API key may not be used from this address.")
BLIND: Final = Ending(LATER, "The API key cannot be checked just now.")
PRESSED: Final = Ending(LATER, "Closed by a member of the organization.")

GONE: Final = {
    Reason.REVOKED: REVOKED,
    Reason.LAPSED: REVOKED,
    Reason.EXPIRED: EXPIRED,
    Reason.REMOVED: REMOVED,
}

# Ends one subscription of a socket.
Drop: TypeAlias = "Callable[[Connection, Key], None]"
# What became of a key that has changed: how it is now, or why its sockets end.
Found: TypeAlias = Credential | Ending


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has found: keys that have changed, by id, and numbers of sockets that a Member wants closed."""

    changed: Mapping[int, Found]
    pressed: frozenset[int]


class KeyWatch:
    """Looks after the keys of all sockets of a process."""

    def __init__(self, process: str, connections: Mapping[int, Connection], drop: Drop) -> None:
        self._process, self._connections, self._drop = process, connections, drop
        self._looked = time.monotonic()

    async def watch(self) -> NoReturn:
        """Look, and act on what was found, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            keyed = [each for each in self._connections.values() if each.credential is not None]
            if not keyed:
                self._looked = time.monotonic()
                continue
            # Two sockets of one key may know it at two versions, and the older is as it was before a change.
            known = {(each.id, each.version): each for each in (one.credential for one in keyed) if each is not None}
            try:
                found = await asyncio.wait_for(run_watch(_look, known.values(), self._process), BLIND_SECONDS)
            except Exception as error:
                if isinstance(error, Error | TimeoutError):
                    logger.warning("Keys of sockets could not be looked at: %s", outage.in_words(error))
                else:
                    logger.exception("Keys of sockets could not be looked at")
                if time.monotonic() - self._looked > BLIND_SECONDS:
                    for connection in keyed:
                        connection.close(BLIND.code, BLIND.reason)
                continue
            self._looked = time.monotonic()
            for connection in keyed:
                self._judge(connection, found, timezone.now())

    def _judge(self, connection: Connection, found: Look, now: datetime) -> None:
        held = connection.credential
        if held is None:
            return
        is_now = found.changed.get(held.id, held)
        ending = PRESSED if connection.number in found.pressed else _ending(is_now, connection.source, now)
        if ending is not None:
            connection.close(ending.code, ending.reason)
        elif isinstance(is_now, Credential) and is_now.version > held.version:
            connection.credential = is_now
            self._cut(connection, is_now)

    def _cut(self, connection: Connection, credential: Credential) -> None:
        """End what the key may no longer be told; the rest goes on."""
        for key, subscription in list(connection.subscriptions.items()):
            if isinstance(subscription, Private):
                try:
                    PRIVATE[subscription.channel].check(credential, subscription.options)
                except ApiError as error:
                    self._drop(connection, key)
                    connection.say(frames.cut_off(subscription.channel, error.error))


def _look(known: Collection[Credential], process: str) -> Look:
    versions = lifecycle.versions([each.id for each in known])
    changed = {each.id: _again(each) for each in known if versions.get(each.id) != each.version}
    return Look(changed, frozenset(sockets.to_close(process)))


def _again(credential: Credential) -> Found:
    """The key as it is by now."""
    lifecycle.forget(credential.public)
    found = lifecycle.find(credential.public)
    if found is not None:
        return found
    key = ApiKey.objects.select_related("service_user").filter(pk=credential.id).first()
    return REVOKED if key is None else GONE.get(why_dead(key, timezone.now()), STOPPED)


def _ending(found: Found, source: str, now: datetime) -> Ending | None:
    """Why the sockets of a key end now; None if they may go on."""
    if isinstance(found, Ending):
        return found
    if found.has_expired(now):
        return EXPIRED
    if not found.websocket:
        return OFF
    return None if authentication.is_allowed(found, source) else ELSEWHERE
