"""A bot that may stream, and its credential as the API holds it."""

import pytest

from accounts.api_keys import lifecycle
from accounts.api_keys.lifecycle import Credential
from accounts.models import ServiceUser
from tests.accounts.conftest import live
from tests.factories.world import Bot


def alter(bot: Bot, **values: object) -> None:
    """What an approved change of the Service User does to its row and its keys."""
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(**values)
    lifecycle.touch(bot.service_user)


@pytest.fixture
def streaming_bot(trading_bot: Bot) -> Bot:
    alter(trading_bot, websocket=True)
    return trading_bot


@pytest.fixture
def credential(streaming_bot: Bot) -> Credential:
    return live(streaming_bot.public)
