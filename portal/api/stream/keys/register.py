"""Which sockets a process holds for which keys, as the pages show it; and what the history remembers of them."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason
from accounts.api_keys.streaming import events, sockets, use
from accounts.api_keys.streaming.sockets import Held
from portal.api.protocol.envelope import ApiError, Error
from portal.api.stream.connection import Connection
from portal.api.stream.threads import run, run_for
from portal.core.database import outage

logger = logging.getLogger(__name__)

SEEN_SECONDS: Final = 5.0


class Register:
    """The rows of this process's sockets; public sockets have none, for they are nobody's."""

    def __init__(self, process: str) -> None:
        self.process = process
        # One that ends while all are being said would be said once more, and be a row without a socket.
        self._one_at_a_time = asyncio.Lock()

    async def open(self, connection: Connection, credential: Credential) -> None:
        """A key has begun to use the socket. Raises: ApiError if it has too many; django.db.Error."""
        # It may wait for the history, and everybody else would wait with it.
        opening = asyncio.ensure_future(
            run_for(credential.account_id, _open, credential, self.process, _held(connection, credential))
        )
        try:
            await asyncio.shield(opening)
        finally:
            # Whoever leaves meanwhile leaves a row all the same, which goes with the socket.
            await asyncio.wait([opening])
            connection.is_registered = not opening.cancelled() and opening.exception() is None

    async def closed(self, connection: Connection, *, is_recorded: bool) -> None:
        """The socket is gone; if we closed it, and nobody has yet, that is recorded."""
        credential = connection.credential
        if credential is None or not connection.is_registered:
            return
        connection.is_registered = False
        try:
            async with self._one_at_a_time:
                await run(sockets.closed, self.process, [connection.number])
            if connection.ending is not None and not is_recorded:
                source, reason = connection.source, connection.ending.reason
                await run_for(credential.account_id, events.closed, credential, source=source, reason=reason)
        except DatabaseError as error:
            # Its row is forgotten after a minute without this.
            logger.warning("The end of a socket could not be written down: %s", outage.in_words(error))

    async def keep(self, connections: Callable[[], Iterable[Connection]]) -> NoReturn:
        """Say every few seconds which are still open, and what flows to them, for ever."""
        while True:
            await asyncio.sleep(SEEN_SECONDS)
            try:
                async with self._one_at_a_time:
                    await self._say(connections())
            except DatabaseError as error:
                logger.warning("Open sockets could not be written down: %s", outage.in_words(error))

    async def _say(self, connections: Iterable[Connection]) -> None:
        held = [
            _held(each, each.credential) for each in connections if each.credential is not None and each.is_registered
        ]
        if held:
            await run(sockets.seen, self.process, held)


def _open(credential: Credential, process: str, held: Held) -> None:
    if settings.API_LIMITS and sockets.count_of(credential.id) >= settings.STREAM_SOCKETS_OF_KEY:
        raise ApiError(Error.TOO_MANY_REQUESTS, credential, reason=Reason.SOCKETS)
    sockets.opened(credential, process, held)
    use.count(credential.public, timezone.now())


def _held(connection: Connection, credential: Credential) -> Held:
    return Held(
        number=connection.number,
        api_key_id=credential.id,
        service_user_id=credential.service_user_id,
        source=connection.source,
        opened_at=connection.opened_at,
        last_message_at=connection.heard_at,
        subscribed=tuple(sorted(each.label for each in connection.subscriptions.values())),
    )
