"""Sockets as they are served in production and by `make run`, and bots that nobody else's bots disturb."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.running import ROOT, Portal, free_port, wait_for
from tests.serving import streaming

# What an operator does, in a process of their own: an Organization with money and one bot, for each line that is read.
PROGRAM = """
import sys
import django
django.setup()
from decimal import Decimal
from accounts.models import User
from accounts.organizations.founding import create_organization
from portal.venues.paper.funding import deposit
from tests.factories.world import EVERY_PERMISSION, make_bot

for line in sys.stdin:
    name = line.strip()
    owner = create_organization(
        name=name, currency="USD", owner=User.objects.create_user(f"{name}@streams.test", None, name=name)
    ).members.get()
    account = owner.organization.accounts.get()
    for asset, amount in (("USD", "100000"), ("BTC", "2")):
        deposit(account.pk, asset, Decimal(amount), reference=f"{name}-{asset}")
    bot = make_bot(owner, account, f"{name}-bot", EVERY_PERMISSION, websocket=True)
    print(bot.public, bot.secret, flush=True)
"""


@dataclass(frozen=True)
class Bot:
    """A bot that is alone in its Account, with 100000 USD and 2 BTC, and where its client connects."""

    key: str
    secret: str
    url: str
    socket_url: str


@contextmanager
def serving_sockets(portal: Portal, port: int, *more: str) -> "Iterator[subprocess.Popen[bytes]]":
    """The server of sockets as it stands in the guide for operators, beside the portal's own."""
    where = ["--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-m", "uvicorn", "portal.asgi:application", *streaming(), *where, *more]
    server = subprocess.Popen(command, cwd=ROOT, env=portal.environment)
    try:
        wait_for(port, server)
        yield server
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="session")
def socket_server(portal) -> Iterator[str]:
    """Its address."""
    port = free_port()
    with serving_sockets(portal, port):
        yield f"ws://127.0.0.1:{port}"


@pytest.fixture(scope="session", params=["in production", "by make run"])
def socket_url(request, portal) -> str:
    """Where sockets are served: by a server of their own, or at the one address."""
    if request.param == "by make run":
        return f"ws://127.0.0.1:{portal.port}"
    return str(request.getfixturevalue("socket_server"))


@pytest.fixture(scope="session")
def operator(portal) -> "Iterator[Callable[[str], tuple[str, str]]]":
    """Founds an Organization of that name; the two halves of its bot's key."""
    environment = portal.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def found(name: str) -> tuple[str, str]:
        assert process.stdin is not None
        assert process.stdout is not None
        print(name, file=process.stdin, flush=True)
        key, secret = process.stdout.readline().split()
        return key, secret

    with process:
        yield found


@pytest.fixture
def bot(portal, operator, socket_url) -> Bot:
    key, secret = operator(f"stream-{secrets.token_hex(4)}")
    return Bot(key, secret, portal.url, socket_url)
