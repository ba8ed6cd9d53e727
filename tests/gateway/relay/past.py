"""What a customer did at the exchange, and a bot whose window shows a part of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from tests.api.calls import Wire
from tests.gateway.relay.conftest import Bots
from tests.gateway.upstream.exchange import Customer

LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100", "volume": "0.01"}
MARKET = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INVALID = "EGeneral:Invalid arguments"


@dataclass
class Past:
    """What a customer did at the exchange: three trades, three orders that were cancelled, three that stand."""

    customer: Customer
    trades: dict[str, dict[str, Any]]
    ledger: dict[str, dict[str, Any]]
    closed: dict[str, dict[str, Any]]
    open: dict[str, dict[str, Any]]

    def windowed(self, bots: Bots) -> tuple[Wire, Decimal, Decimal]:
        """A bot whose window begins with the first trade and ends before the third, and these two instants."""
        times = sorted(Decimal(str(row["time"])) for row in self.trades.values())
        # Files write no more than four digits: the window begins and ends with a thousandth.
        first, before = (each.quantize(Decimal("0.001"), ROUND_FLOOR) for each in (times[0], times[2]))
        bot = bots("windowed-bot", query_start=instant(first), query_end=instant(before))
        return bot, first, before


def instant(seconds: Decimal) -> datetime:
    return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def within(rows: dict[str, dict[str, Any]], first: Decimal, before: Decimal, *times: str) -> set[str]:
    return {name for name, row in rows.items() if all(first <= Decimal(str(row[each])) < before for each in times)}


def lived(customer: Customer) -> Past:
    """Let that much happen."""
    for place in range(3):
        (kept,) = customer.result("everything", "AddOrder", **LIMIT, userref=place + 1)["txid"]
        (gone,) = customer.result("everything", "AddOrder", **LIMIT)["txid"]
        customer.result("everything", "CancelOrder", txid=gone)
        customer.result("everything", "AddOrder", **MARKET)
        assert kept
    return Past(
        customer,
        customer.result("everything", "TradesHistory")["trades"],
        customer.result("everything", "Ledgers")["ledger"],
        customer.result("everything", "ClosedOrders")["closed"],
        customer.result("everything", "OpenOrders")["open"],
    )
