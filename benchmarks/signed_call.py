"""What one signed call costs through each of the two doors, of which one stands in front of Django."""

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from benchmarks.ratio import Ratio, Work, compare
from portal.application import application, django_application
from tests.api.calls import FORM, next_nonce, sign
from tests.factories.world import Bot, World

PATH = "/0/private/Balance"
REPEATS = 300


def ratios(world: World) -> Iterator[Ratio]:
    """`Balance` of a bot with six assets."""
    bot = world.bot("readonly-bot")
    yield compare(
        "a signed Balance through Django's handler",
        through(django_application, bot),
        "through the door in front of it",
        through(application, bot),
        repeats=REPEATS,
    )


def through(handler: Callable[..., Any], bot: Bot) -> Work:
    """Work that has the handler answer one `Balance` of that bot, and fails where it does not."""

    def call() -> None:
        body, signature = _signed(bot.secret)
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": PATH,
            "QUERY_STRING": "",
            "CONTENT_TYPE": FORM,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_API_KEY": bot.public,
            "HTTP_API_SIGN": signature,
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        assert b'"error":[]' in b"".join(handler(environ, lambda *_: None)).replace(b" ", b"")

    return call


def _signed(secret: str) -> tuple[bytes, str]:
    nonce = str(next_nonce())
    body = urlencode({"nonce": nonce}).encode()
    return body, sign(secret, PATH, nonce, body)
