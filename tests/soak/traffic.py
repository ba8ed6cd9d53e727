"""What happens to the Accounts meanwhile: orders, deposits and withdrawals, by REST, on sockets, and by people."""

import asyncio
import io
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.core.management import call_command
from django.db import Error, close_old_connections
from websockets.exceptions import ConnectionClosed

from policies.changes import decide
from policies.models import ChangeRequest, State
from portal.core.errors import DomainError
from portal.venues.registry import shown
from tests.factories import people
from tests.soak import cast
from tests.soak.bots import SYMBOL, Refused, Socket
from tests.soak.cast import ADDRESS
from tests.soak.player import Player
from tests.soak.rest import Rest, Unanswered

# So many things are done in a second, by all bots together.
ACTIONS_PER_SECOND: Final = 6.0
APPROVED_EVERY: Final = 1.0
FAR: Final = Decimal("0.05")
# How often each is done, in hundred.
SHARES: Final = {"near": 40, "market": 15, "far": 20, "cancel": 13, "cancel_all": 2, "deposit": 5, "withdraw": 5}


@dataclass
class Traffic:
    """All bots at work, and one person in each Organization who approves."""

    rest: Rest
    players: Sequence[Player]
    sockets: Sequence[Socket]
    done: Counter[str] = field(default_factory=Counter)
    _resting: dict[int, list[str]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._approve())
            for player in self.players:
                tasks.create_task(self._work(player))

    async def end(self) -> None:
        """Leave no order open that could still be filled."""
        for player in self.players:
            while True:
                try:
                    if await self.rest.result(player, "CancelAll") is not None:
                        break
                except Unanswered:
                    pass
                await asyncio.sleep(0.2)

    async def _work(self, player: Player) -> None:
        mean = len(self.players) / ACTIONS_PER_SECOND
        actions: Mapping[str, Callable[[Player], Any]] = {
            "near": self._near, "market": self._market, "far": self._far, "cancel": self._cancel,
            "cancel_all": self._cancel_all, "deposit": self._deposit, "withdraw": self._withdraw,
        }  # fmt: skip
        while True:
            await asyncio.sleep(random.expovariate(1 / mean))
            (name,) = random.choices(list(SHARES), list(SHARES.values()))
            try:
                await actions[name](player)
            except (Unanswered, Refused, ConnectionClosed, Error, OSError, TimeoutError) as error:
                self.done[f"{name}: {type(error).__name__} {error}".partition("\n")[0][:70]] += 1
            else:
                self.done[name] += 1

    async def _near(self, player: Player) -> None:
        """Rests at the price, and is filled as soon as that moves a little."""
        side = random.choice(("buy", "sell"))
        mid = self._mid()
        await self._place(player, side, "limit", mid if side == "buy" else mid + Decimal("0.1"))

    async def _market(self, player: Player) -> None:
        await self._place(player, random.choice(("buy", "sell")), "market", None)

    async def _far(self, player: Player) -> None:
        """Stays where it is until it is cancelled."""
        side = random.choice(("buy", "sell"))
        price = self._mid() * (1 - FAR if side == "buy" else 1 + FAR)
        txid = await self._place(player, side, "limit", price.quantize(Decimal("0.1")))
        self._resting.setdefault(player.account_id, []).append(txid)

    async def _cancel(self, player: Player) -> None:
        resting = self._resting.get(player.account_id)
        if not resting:
            return
        txid = resting.pop(random.randrange(len(resting)))
        socket = self._socket(player)
        if socket is None:
            await self.rest.result(player, "CancelOrder", txid=txid)
        else:
            await socket.ask("cancel_order", order_id=[txid], token=socket.token)

    async def _cancel_all(self, player: Player) -> None:
        self._resting.pop(player.account_id, None)
        await self.rest.result(player, "CancelAll")

    async def _deposit(self, player: Player) -> None:
        await in_database(
            call_command, "paperdeposit", organization=player.organization, account=player.account, asset="USD",
            amount=str(random.randrange(50, 500)), stdout=io.StringIO(),
        )  # fmt: skip

    async def _withdraw(self, player: Player) -> None:
        """Waits for one person of two."""
        amount = f"0.0{random.randrange(1, 9)}"
        if await self.rest.result(player, "Withdraw", asset="XBT", key=ADDRESS, amount=amount) is None:
            raise Refused("Withdraw")

    async def _place(self, player: Player, side: str, kind: str, price: Decimal | None) -> str:
        volume = f"0.00{random.randrange(100, 999)}"
        socket = self._socket(player)
        if socket is None:
            limit = {} if price is None else {"price": str(price)}
            found = await self.rest.result(
                player, "AddOrder", pair="XBTUSD", type=side, ordertype=kind, volume=volume, **limit
            )
            if found is None:
                raise Refused("AddOrder")
            return str(found["txid"][0])
        params: dict[str, object] = {"order_type": kind, "side": side, "symbol": SYMBOL, "order_qty": float(volume)}
        if price is not None:
            params["limit_price"] = float(price)
        placed = await socket.ask("add_order", **params, token=socket.token)
        return str(placed["order_id"])

    def _socket(self, player: Player) -> Socket | None:
        """One of the bot's sockets for every second thing; None: by REST."""
        own = [each for each in self.sockets if each.player == player and each.is_subscribed]
        return random.choice(own) if own and random.random() < 0.5 else None

    def _mid(self) -> Decimal:
        book = shown().depth("XBTUSD", 1)
        return ((book.asks[0].price + book.bids[0].price) / 2).quantize(Decimal("0.1"))

    async def _approve(self) -> None:
        while True:
            await asyncio.sleep(APPROVED_EVERY)
            try:
                self.done["approved"] += await in_database(_approve_all)
            except (DomainError, Error) as error:
                self.done[f"approve: {type(error).__name__}"] += 1


def _approve_all() -> int:
    """One yes to each withdrawal that waits."""
    approvers, count = cast.approvers(), 0
    for change in ChangeRequest.objects.filter(state=State.PENDING, operation="treasury.withdraw"):
        member = approvers[change.organization_id]
        decide(change.reference, member=member, approved=True, digest=change.digest, proof=people.proof(change))
        count += 1
    return count


async def in_database(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What it answers, done in a thread, on a connection that is there."""

    def done() -> Any:
        close_old_connections()
        try:
            return work(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.to_thread(done)
