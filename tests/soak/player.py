"""One who takes part."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Player:
    """A bot, the Account that it trades for, and the address that it calls from."""

    account_id: int
    organization: str
    account: str
    public: str
    secret: str
    source: str
