"""A bot of an Account that is a customer of the exchange, on the road that every call of a bot takes."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from django.utils import timezone

from accounts.models import Account
from portal.core.secrets.sealing import seal
from portal.venues.kraken.models import Connection, Credential, Purpose, place_of
from portal.venues.kraken.relay import public_memory
from tests.api.calls import Wire, next_nonce
from tests.factories.world import EVERY_PERMISSION, make_bot
from tests.gateway.proxy.server import Proxy
from tests.gateway.upstream.customers import KINDS
from tests.gateway.upstream.exchange import Customer

Bots: TypeAlias = Callable[..., Wire]


@pytest.fixture(autouse=True)
def _nobody_is_throttled(settings):
    settings.API_LIMITS = False
    public_memory.forget_all()
    yield
    public_memory.forget_all()


@pytest.fixture
def real(world, customer, proxy, settings) -> Account:
    """An Account whose credentials at the exchange are one for withdrawals and one for the rest."""
    settings.EXCHANGES = [f"Exchange={proxy.url}"]
    account: Account = Account.objects.create(
        organization=world.organization, name="Real", venue="kraken", created_at=timezone.now()
    )
    Connection.objects.create(account=account, exchange="Exchange", connected_at=timezone.now())
    add_credential(account, customer, "withdraw", Purpose.WITHDRAW)
    add_credential(account, customer, "rest", Purpose.REST)
    return account


def add_credential(account: Account, customer: Customer, kind: str, purpose: Purpose) -> Credential:
    """The customer's credential of that kind, active in the Account."""
    public, secret = customer.keys[kind]
    return Credential.objects.create(
        organization=account.organization,
        account=account,
        exchange="Exchange",
        purpose=purpose,
        label=kind,
        public=public,
        sealed_secret=seal(secret.encode(), place=place_of(public)),
        nonce_window=KINDS[kind].window,
        permissions=list(KINDS[kind].permissions),
        proposed_at=timezone.now(),
        activated_at=timezone.now(),
    )


@pytest.fixture
def bots(real, owner) -> Bots:
    """Make a bot of the Account: with every permission and no window, unless told otherwise."""

    def made(name: str = "gateway-bot", permissions: tuple[str, ...] = EVERY_PERMISSION, **limits: Any) -> Wire:
        return Wire(make_bot(owner, real, name, permissions, **limits))

    return made


@pytest.fixture
def bot(bots: Bots) -> Wire:
    return bots()


def sent(proxy: Proxy, method: str) -> int:
    """How many calls of that method have left the portal."""
    return len(proxy.requests(method))


def raw(bot: Wire, method: str, **fields: str) -> bytes:
    """The bytes that the bot is sent."""
    nonce = str(next_nonce())
    body = "&".join([f"nonce={nonce}", *(f"{name}={value}" for name, value in fields.items())]).encode()
    response = bot.send(method, body, nonce=nonce)
    assert response.status_code == 200
    return bytes(response.content)
