"""What every test of a socket's messages starts from: a bot whose key has the WebSocket setting."""

import pytest

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from tests.api.stream.messages import Messenger
from tests.factories.world import Bot


def on_a_socket(bot: Bot) -> Messenger:
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(websocket=True)
    lifecycle.touch(bot.service_user)
    lifecycle.forget(bot.public)
    return Messenger(bot)


@pytest.fixture
def messenger(trading_bot) -> Messenger:
    return on_a_socket(trading_bot)
