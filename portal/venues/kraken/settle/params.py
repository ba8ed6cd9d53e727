"""What people say of a withdrawal that nobody knows of."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of it, and so what is done."""

    WENT_OUT = "went-out"
    SEND_AGAIN = "send-again"
    GIVE_UP = "give-up"


@dataclass(frozen=True, slots=True)
class Settle:
    """The withdrawal by its reference, what became of it, and under which reference of the exchange it went out."""

    account_id: int
    reference: str
    outcome: Outcome
    refid: str = ""
