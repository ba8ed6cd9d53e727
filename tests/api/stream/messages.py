"""A bot's side of a socket, without the socket: JSON in, answers out."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from accounts.api_keys import lifecycle
from portal.api.stream import trading
from portal.api.stream.trading import Answer
from tests.factories.world import Bot

SOURCE = "127.0.0.1"
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Raw(str):
    """A number exactly as it is to stand in the JSON."""

    __slots__ = ()


def spelled(params: Mapping[str, object]) -> dict[str, Any]:
    """The params as a socket decodes them: whole numbers and Decimals, never floats."""
    text = ", ".join(
        f"{json.dumps(name)}: {value if isinstance(value, Raw) else json.dumps(value)}"
        for name, value in params.items()
    )
    return _decoder.decode(f"{{{text}}}")


class Messenger:
    """One bot that trades on a socket."""

    def __init__(self, bot: Bot, *, source: str = SOURCE) -> None:
        self.bot = bot
        self.source = source
        found = lifecycle.find(bot.public)
        assert found is not None
        # As it was when the socket was opened: what has changed since is the portal's to find out.
        self.credential = found

    def answers(self, method: str, **params: object) -> list[Answer]:
        return trading.carry(self.credential, method, spelled(params), self.source)

    def result(self, method: str, **params: object) -> dict[str, Any]:
        """The only answer, which must be good."""
        (answer,) = self.answers(method, **params)
        assert answer.success, answer
        assert answer.result is not None
        return dict(answer.result)

    def error(self, method: str, **params: object) -> str:
        """The only answer, which must be none."""
        (answer,) = self.answers(method, **params)
        assert not answer.success
        assert answer.result is None
        return answer.error
