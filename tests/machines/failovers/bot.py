"""A bot that goes on trading and withdrawing, and keeps what it was answered and when. A program of its own.

Told as JSON on standard input where it calls; a line on standard output for each answer. It ends when its input does.
"""

import json
import sys
import threading
import time
import uuid
from typing import Any, Final

import krakenex

# Of one call: whoever waits longer has lost it.
SECONDS: Final = 10
PAUSE: Final = 0.05


def main() -> None:
    """Call until nobody listens any more."""
    told = json.loads(sys.stdin.readline())
    over = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(over,), daemon=True).start()
    bot = krakenex.API(told["key"], told["secret"])
    bot.uri, bot.session.verify = told["url"], told["certificate"]
    number = told.get("first", 0)
    while not over.is_set():
        number += 1
        for what, method, fields in (_order(), _withdrawal(number)):
            began = time.time()
            answer = _asked(bot, method, fields)
            line = {"what": what, "began": began, "ended": time.time(), "answer": answer}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            if not isinstance(answer, dict) or answer["error"]:
                time.sleep(PAUSE)


def _wait_for_the_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def _order() -> tuple[str, str, dict[str, str]]:
    own = str(uuid.uuid4())
    return own, "AddOrder", {
        "pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.0001", "cl_ord_id": own,
    }  # fmt: skip


def _withdrawal(number: int) -> tuple[str, str, dict[str, str]]:
    """Of an amount that no other one has."""
    amount = f"{0.002 + number / 10**8:.8f}"
    return amount, "Withdraw", {"asset": "XBT", "key": "btc-cold", "amount": amount}


def _asked(bot: Any, method: str, fields: dict[str, str]) -> Any:
    try:
        return bot.query_private(method, fields, timeout=SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it was, nothing was answered
        return type(error).__name__


if __name__ == "__main__":
    main()
