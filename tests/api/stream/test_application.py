"""What a socket's handshake is read for: where it comes from, and nothing that a browser adds by itself."""

import asyncio

import pytest

from portal.api.stream.application import application
from tests.api.stream.sockets import Closed, opened, played

pytestmark = pytest.mark.django_db(transaction=True)


class Unread:
    """A header's value that nobody may look at."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError("it was read")


def test_no_cookie_is_ever_read():
    """WB-11: nor an Origin, nor credentials of a browser; a page opens a socket of a stranger and no other."""
    of_a_browser = [(name, Unread()) for name in (b"cookie", b"origin", b"authorization", b"referer")]

    async def scene() -> None:
        async with opened(headers=tuple(of_a_browser)) as socket:  # type: ignore[arg-type]
            assert (await socket.frame(channel="status"))["data"][0]["system"] == "online"
            for channel in ("balances", "executions"):
                answer = await socket.ask("subscribe", channel=channel)
                assert answer["success"] is False
            assert (await socket.ask("ping"))["method"] == "pong"

    played(scene)


def test_what_is_read_is_noticed():
    """The trap above is one: where a caller comes from is read."""
    scope = {"path": "/v2", "scheme": "wss", "client": ("127.0.0.1", 5), "headers": [(b"x-forwarded-for", Unread())]}

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(_: object) -> None:
        raise AssertionError("nothing is said")

    with pytest.raises(TypeError):
        asyncio.run(application(scope, receive, send))


def test_outside_of_tls_nobody_comes_in(settings):
    settings.DEBUG = False

    async def scene() -> None:
        with pytest.raises(Closed, match="403"):
            async with opened(scheme="ws"):
                pass

    played(scene)
