"""The world of the other pages, with an Account at an exchange in it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Member
from portal.venues.kraken.models import Connection, Purpose
from tests.factories.world import World
from tests.venues.kraken.conftest import Exchange, credential
from tests.venues.kraken.reading.conftest import Says


@pytest.fixture(autouse=True)
def _empty_ground():
    """In place of the one that clears the ground: the cast stands on it."""


@pytest.fixture
def says(exchange: Exchange) -> Says:
    """Answers everything that a page asks, with one row of each."""
    told = Says(exchange)
    told.say(
        BalanceEx={"XXBT": {"balance": "12.5", "hold_trade": "0.5"}, "NEW.M": {"balance": "1.25", "hold_trade": "0"}},
        TradeBalance={"eb": "1101.3425", "mf": "375.1678"},
        Ledgers={
            "ledger": {
                "LAAAAA-AAAAA-AAAAAA": {
                    "refid": "FTQ", "time": 1688464484.5, "type": "deposit", "asset": "XXBT", "amount": "2.5",
                    "fee": "0", "balance": "12.5",
                },
            },
        },
        OpenOrders={"open": {"OAAAAA-AAAAA-AAAAAA": ORDER}},
        ClosedOrders={"closed": {"OBBBBB-BBBBB-BBBBBB": CLOSED}},
        TradesHistory={
            "trades": {
                "TAAAAA-AAAAA-AAAAAA": {
                    "ordertxid": "OBBBBB-BBBBB-BBBBBB", "pair": "XXBTZUSD", "time": 1688667796.8802, "type": "sell",
                    "ordertype": "limit", "price": "30010.0", "cost": "600.2", "fee": "0.1", "vol": "0.02",
                    "maker": True,
                },
            },
        },
        DepositStatus={
            "deposit": [
                {
                    "method": "Bitcoin", "asset": "XXBT", "refid": "FTQ", "txid": "6544b4", "info": "2Myd4e",
                    "amount": "0.78125", "fee": "0", "time": 1688992722, "status": "Success", "status-prop": "return",
                },
                {
                    "method": "Ether (Hex)", "asset": "XETH", "refid": "FTR", "txid": None, "info": "0xca21",
                    "amount": "0.5", "time": 1688992723, "status": "Pending",
                },
            ],
            "next_cursor": "further",
        },
    )  # fmt: skip
    return told


ORDER = {
    "userref": 0, "status": "open", "opentm": 1688666559.8974, "vol": "1.25", "vol_exec": "0.375", "cost": "11253.7",
    "fee": "0.0", "price": "30010.0", "oflags": "fciq",
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "30010.0", "order": "buy 1.25 XBTUSD"},
}  # fmt: skip
CLOSED = {
    "userref": 0, "status": "canceled", "opentm": 1688666559.8974, "closetm": 1688666560.1, "vol": "49.96",
    "vol_exec": "0.02", "cost": "600.2", "fee": "0.1", "price": "30010.0", "reason": "User requested",
    "descr": {
        "pair": "SUIUSD", "type": "sell", "ordertype": "trailing-stop", "price": "+1.0000%",
        "order": "sell 49.96000 SUIUSD @ trailing stop +1.0000%",
    },
}  # fmt: skip


@pytest.fixture
def real(says: Says, world: World, settings) -> Account:
    """`Real`, beside `Main`, connected, and never read so far."""
    settings.EXCHANGES = [f"Test={says.exchange.url}"]
    account: Account = Account.objects.create(
        organization=world.organization, name="Real", venue="kraken", created_at=timezone.now()
    )
    Connection.objects.create(account=account, exchange="Test", connected_at=timezone.now())
    credential(account, Purpose.REST)
    return account


@pytest.fixture
def browser(sign_in) -> Callable[[Member], Client]:
    """Somebody at a browser of their own."""

    def opened(member: Member) -> Client:
        client = Client()
        sign_in(client, member)
        return client

    return opened
