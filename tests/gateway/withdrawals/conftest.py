"""The Account of the cast as one at the exchange, and what is done with its withdrawals, in one line each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine as travel
from django.utils import timezone

from accounts.models import Account
from policies.changes import decide
from policies.models import ChangeRequest
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.kraken.models import Connection, Credential, Look, Purpose, Step, Withdrawal
from portal.venues.kraken.venue import KrakenVenue
from portal.venues.kraken.withdrawals import tending
from portal.venues.types import Balance
from tests.factories import people
from tests.factories.world import World
from tests.gateway.connected import credential
from tests.gateway.proxy.server import Proxy
from tests.gateway.upstream.exchange import Customer

VENUE = KrakenVenue()
AMOUNT = Decimal("1.25")


@dataclass
class Real:
    """The Account, the customer that it is at the exchange, and the proxy on the way there."""

    world: World
    account: Account
    customer: Customer
    proxy: Proxy
    withdrawing: Credential

    def ask(self, amount: Decimal | str = AMOUNT, **given: Any) -> ChangeRequest:
        """The bot asks to send it to btc-cold."""
        bot = self.world.bot("treasury-bot")
        values = {"actor": bot.service_user, "api_key": bot.key, "account": self.account, "key": "btc-cold"}
        return request_withdrawal(**{**values, "asset": "XBT", "amount": Decimal(amount), **given})

    def approve(self, change: ChangeRequest) -> ChangeRequest:
        """The two that it takes."""
        for name in ("ben", "cleo"):
            member, proof = self.world.members[name], people.proof(change)
            change = decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof)
        return change

    def agreed(self, amount: Decimal | str = AMOUNT) -> ChangeRequest:
        """Asked and approved: its intent is written."""
        return self.approve(self.ask(amount))

    def tend(self) -> None:
        """One round of whoever sends."""
        tending.tend_account(self.account.pk)

    def row(self, change: ChangeRequest) -> Withdrawal:
        """As the gateway has it now."""
        return Withdrawal.objects.get(request=change.reference)

    def step(self, change: ChangeRequest) -> Step:
        return Step(self.row(change).step)

    def state(self, change: ChangeRequest) -> str:
        return ChangeRequest.objects.get(pk=change.pk).state

    def looks(self, change: ChangeRequest) -> list[Look]:
        return list(self.row(change).looked_for.order_by("pk"))

    def there(self) -> list[dict[str, Any]]:
        """What the exchange itself has, newest first."""
        return self.customer.withdrawals()

    def balance(self) -> Balance:
        """Bitcoin of the Account, as pages have it."""
        return next(row for row in VENUE.balances(self.account.pk) if row.asset.id == "XXBT")


@pytest.fixture
def real(world, customer, proxy, settings) -> Real:
    settings.EXCHANGES = [f"Test={proxy.url}"]
    Account.objects.filter(pk=world.account.pk).update(venue="kraken")
    world.account.refresh_from_db()
    Connection.objects.create(account=world.account, exchange="Test", connected_at=timezone.now())
    withdrawing = credential(world.account, Purpose.WITHDRAW, customer.keys["withdraw"])
    credential(world.account, Purpose.REST, customer.keys["rest"], permissions=["query-funds", "query-ledger"])
    for bot in world.bots.values():
        bot.service_user.account.refresh_from_db()
    return Real(world, world.account, customer, proxy, withdrawing)


@pytest.fixture
def later() -> Callable[[float], Any]:
    """So many seconds from now, here; the exchange's own clock goes on as it does."""

    def at(seconds: float) -> Any:
        return travel.travel(timezone.now() + timedelta(seconds=seconds), tick=True)

    return at
