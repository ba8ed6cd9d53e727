"""subscribe and unsubscribe: one acknowledgement for each symbol, then how things stand, then what changes (§13)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone

from accounts.api_keys.streaming import use
from portal.api.protocol.envelope import Error
from portal.api.stream import frames
from portal.api.stream.channels.private import Frames, PrivateChannel
from portal.api.stream.channels.private_registry import PRIVATE
from portal.api.stream.channels.public import Refused, pair_of, symbols
from portal.api.stream.channels.registry import OF_A_PAIR, PUBLIC
from portal.api.stream.connection import Connection, Key
from portal.api.stream.delivery.markets import Public
from portal.api.stream.delivery.subscription import Private
from portal.api.stream.frames import Asked
from portal.api.stream.keys.authorization import authorize, latest
from portal.api.stream.threads import run_for
from portal.venues.journal import reading
from portal.venues.registry import shown, venue

if TYPE_CHECKING:
    from accounts.api_keys.lifecycle import Credential
    from portal.api.stream.hub import Hub

UNKNOWN_CHANNEL: Final = "Subscription name invalid"
ALREADY: Final = "Already subscribed"
NOT_FOUND: Final = "Subscription Not Found"
# Symbols of one request.
MOST_SYMBOLS: Final = 100


async def subscribe(hub: "Hub", connection: Connection, asked: Asked) -> None:
    """Begin to tell a channel. Raises: ApiError; django.db.Error."""
    name = _channel(asked)
    try:
        if name in PUBLIC:
            await _subscribe_public(hub, connection, asked, name)
        elif name in PRIVATE:
            await _subscribe_private(hub, connection, asked, name)
        else:
            connection.say(frames.failure(asked, UNKNOWN_CHANNEL))
    except Refused as error:
        connection.say(frames.failure(asked, error.text))


async def unsubscribe(hub: "Hub", connection: Connection, asked: Asked) -> None:
    """Tell a channel no longer. Raises: ApiError; django.db.Error."""
    name = _channel(asked)
    try:
        if name in PUBLIC:
            options = PUBLIC[name].read(asked.params, "unsubscribe")
            for symbol in _symbols(name, asked):
                key = (name, symbol, options)
                about = {"symbol": symbol} if symbol else {}
                _end(hub, connection, asked, key, {"channel": name, **about}, about)
        elif name in PRIVATE:
            if connection.credential is None or "token" in asked.params:
                await authorize(hub.register, connection, asked)
            _end(hub, connection, asked, (name, "", None), {"channel": name}, {})
        else:
            connection.say(frames.failure(asked, UNKNOWN_CHANNEL))
    except Refused as error:
        connection.say(frames.failure(asked, error.text))


def _end(
    hub: "Hub", connection: Connection, asked: Asked, key: Key, result: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    if key in connection.subscriptions:
        hub.drop(connection, key)
        connection.say(frames.success(asked, result))
    else:
        connection.say(frames.failure(asked, NOT_FOUND, **about))


async def _subscribe_public(hub: "Hub", connection: Connection, asked: Asked, name: str) -> None:
    channel = PUBLIC[name]
    options = channel.read(asked.params, "subscribe")
    for symbol in _symbols(name, asked):
        about = {"symbol": symbol} if symbol else {}
        try:
            pair = pair_of(shown(), symbol) if symbol else None
        except Refused as error:
            connection.say(frames.failure(asked, error.text, **about))
            continue
        key = (name, symbol, options)
        if refusal := _no_room(connection, key):
            connection.say(frames.failure(asked, refusal, **about))
            continue
        topic = hub.markets.topic(name, pair, options)
        listener = Public(connection, f"{name} {symbol}".strip(), topic)
        connection.subscriptions[key] = listener
        connection.say(frames.success(asked, channel.result(options, symbol)))
        try:
            await hub.markets.join(listener, with_snapshot=options.snapshot)
        except BaseException:
            hub.drop(connection, key)
            raise


async def _subscribe_private(hub: "Hub", connection: Connection, asked: Asked, name: str) -> None:
    channel = PRIVATE[name]
    options = channel.read(asked.params)
    credential = await authorize(hub.register, connection, asked)
    channel.check(credential, options)
    key = (name, "", None)
    if refusal := _no_room(connection, key):
        connection.say(frames.failure(asked, refusal))
        return
    listener = Private(
        connection=connection,
        channel=name,
        label=name,
        account_id=credential.account_id,
        leave=hub.feeds.leave,
        options=options,
        told=lambda event: channel.rows(event, options, connection.credential or credential),
    )
    connection.subscriptions[key] = listener
    try:
        while True:
            whole, place = await run_for(credential.account_id, _snapshot, channel, credential, options)
            # Of a key that may see less meanwhile it is read again, for that.
            if (current := latest(connection, credential)) is credential or listener.is_over:
                break
            credential = current
    except BaseException:
        connection.subscriptions.pop(key, None)
        raise
    if listener.is_over:
        # The watch has cut it off, for the key may not be told this any more.
        connection.say(frames.failure(asked, Error.PERMISSION_DENIED))
        return
    use.count(credential.public, timezone.now())
    connection.say(frames.success(asked, channel.result(options, credential)))
    listener.snapshot(whole, place)
    hub.feeds.join(listener, credential.venue)


def _snapshot(channel: PrivateChannel[object], credential: "Credential", options: object) -> tuple[Frames, int]:
    """How the Account stands, and at which place of its journal: nothing happens to it between the two."""
    at = venue(credential.venue)
    with at.still(credential.account_id):
        whole = channel.snapshot(at, credential, options)
        return whole, reading.place(credential.account_id)


def _no_room(connection: Connection, key: Key) -> Error | str:
    if key in connection.subscriptions:
        return ALREADY
    return Error.TOO_MANY_REQUESTS if len(connection.subscriptions) >= settings.STREAM_SUBSCRIPTIONS else ""


def _channel(asked: Asked) -> str:
    name = asked.params.get("channel")
    return name if isinstance(name, str) else ""


def _symbols(name: str, asked: Asked) -> tuple[str, ...]:
    """The symbols of a channel about pairs; of `instrument` one that is empty. Raises: Refused."""
    found = symbols(asked.params) if name in OF_A_PAIR else ("",)
    if len(found) > MOST_SYMBOLS:
        raise Refused(f"No more than {MOST_SYMBOLS} symbols at once")
    return tuple(dict.fromkeys(found))
