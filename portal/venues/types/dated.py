"""When a venue read what it tells, and why it could not read it again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """What a venue tells of an Account, each read by itself."""

    BALANCES = "balances"
    WORTH = "worth"
    LEDGER = "ledger"
    OPEN_ORDERS = "open-orders"
    CLOSED_ORDERS = "closed-orders"
    TRADES = "trades"
    DEPOSITS = "deposits"
    ALLOCATIONS = "allocations"


@dataclass(frozen=True, slots=True)
class AsOf:
    """What is told is as of `at`, None if it was never read. `trouble`: why it could not be read again; else empty."""

    at: datetime | None
    trouble: str = ""
