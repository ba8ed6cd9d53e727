"""Bots of the cast with the WebSocket setting on, and what each of them does first."""

from accounts.api_keys import lifecycle
from accounts.api_keys.streaming import tokens
from accounts.models import ServiceUser
from tests.api.stream.sockets import Frame, Socket
from tests.factories.world import Bot


def streaming(bot: Bot) -> Bot:
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(websocket=True)
    lifecycle.touch(bot.service_user)
    return bot


def token_of(bot: Bot) -> str:
    credential = lifecycle.find(bot.public)
    assert credential is not None
    return tokens.issue(credential)


async def subscribed(socket: Socket, channel: str, token: str) -> Frame:
    """The snapshot, after the acknowledgement."""
    acknowledged = await socket.ask("subscribe", channel=channel, token=token)
    assert acknowledged["success"], acknowledged
    snapshot: Frame = await socket.next()
    assert (snapshot["channel"], snapshot["type"], snapshot["sequence"]) == (channel, "snapshot", 1)
    return snapshot
