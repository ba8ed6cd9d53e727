"""`python -m tests.chaos.players.bots CAST FOLDER`: every bot at work, each in a thread, until SIGTERM."""

import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.players import cast
from tests.chaos.players.clients import Ccxt, Client, Krakenex, Order
from tests.chaos.players.record import Record, Refused, Unanswered
from tests.soak.player import Player

# Of three bots the last is ccxt.
CCXT_EVERY: Final = 3
PAUSE: Final = 0.25
# After what was not answered a bot waits a little, as they do.
PAUSE_AFTER_TROUBLE: Final = 0.5
MARKS: Final = 1_000_000
SHARES: Final = {"balance": 40, "far": 25, "market": 10, "cancel": 23, "withdraw": 2}
# Bitcoin, in its smallest unit: of each withdrawal another amount.
SMALLEST: Final = 200_000


@dataclass
class Bot:
    """One bot with its client. `number` is from 1."""

    number: int
    client: Client
    player: Player
    record: Record
    resting: list[str] = field(default_factory=list)
    marks: int = 0

    def run(self, over: threading.Event) -> None:
        """Until it is over."""
        chance = random.Random(self.number)
        actions: dict[str, Callable[[random.Random], bool]] = {
            "balance": self._balance, "far": self._far, "market": self._market, "cancel": self._cancel,
            "withdraw": self._withdraw,
        }  # fmt: skip
        while not over.is_set():
            (name,) = chance.choices(list(SHARES), list(SHARES.values()))
            went_well = actions[name](chance)
            over.wait((PAUSE if went_well else PAUSE_AFTER_TROUBLE) * chance.uniform(0.5, 1.5))

    def _balance(self, _: random.Random) -> bool:
        return self._ask("Balance", {}, self.client.balance)

    def _far(self, chance: random.Random) -> bool:
        """Rests far from the price until it is cancelled."""
        side, price = chance.choice((("buy", "9000.0"), ("sell", "900000.0")))
        return self._place(Order(self._mark(), side, f"0.00{chance.randrange(100, 999)}", price))

    def _market(self, chance: random.Random) -> bool:
        return self._place(
            Order(self._mark(), chance.choice(("buy", "sell")), f"0.00{chance.randrange(100, 999)}", None)
        )

    def _place(self, order: Order) -> bool:
        mark = f"m{order.mark}" if self.client.marked_by == "cl_ord_id" else order.mark
        fields = {self.client.marked_by: mark, "side": order.side, "volume": order.volume, "price": order.price}

        def place() -> str:
            txid = self.client.place(order)
            if order.price is not None:
                self.resting.append(txid)
            return txid

        return self._ask("AddOrder", fields, place)

    def _cancel(self, chance: random.Random) -> bool:
        if not self.resting:
            return True
        txid = self.resting.pop(chance.randrange(len(self.resting)))
        return self._ask("CancelOrder", {"txid": txid}, lambda: self.client.cancel(txid))

    def _withdraw(self, _: random.Random) -> bool:
        amount = f"0.{SMALLEST + self._mark() % MARKS:08d}"
        return self._ask("Withdraw", {"amount": amount}, lambda: self.client.withdraw(amount))

    def _mark(self) -> int:
        self.marks += 1
        return self.number * MARKS + self.marks

    def _ask(self, what: str, fields: dict[str, Any], ask: Callable[[], Any]) -> bool:
        call = self.record.begin(self.player.account, what, fields)
        try:
            answer = ask()
        except Refused as error:
            call.refused(str(error))
        except Unanswered as error:
            call.unknown(str(error))
            return False
        else:
            call.done(answer)
        return True


def main(cast_file: Path, folder: Path) -> None:
    """All of them, each with a file of its own."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    threading.excepthook = give_up
    threads = [
        threading.Thread(target=_play, args=(number, player, folder, over), daemon=True)
        for number, player in enumerate(cast.read(cast_file).players, start=1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def give_up(fault: threading.ExceptHookArgs) -> None:
    """A player that stumbles over itself ends the program: nothing would show it otherwise."""
    traceback.print_exception(fault.exc_type, fault.exc_value, fault.exc_traceback)
    os._exit(1)


def _play(number: int, player: Player, folder: Path, over: threading.Event) -> None:
    with Record(folder / f"{player.account}.jsonl") as record:
        client: Client = Krakenex(player) if number % CCXT_EVERY else Ccxt(player)
        Bot(number, client, player, record).run(over)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
