"""Following Accounts: what the clock brings is carried out without being asked for, and a snapshot agrees with news."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol


class Following(Protocol):
    """What whoever follows Accounts needs beside their journals (`portal/venues/journal/`)."""

    def catch_up(self, account_ids: Collection[int]) -> None:
        """Carry out what has come due for these Accounts by the clock, each in a transaction of its own.

        A bounded number of events for each; what is left is carried out by the next call. An error in one of them is
        logged and stops no other. A few statements when nothing is due.
        """

    def still(self, account_id: int) -> AbstractContextManager[None]:
        """Bring the Account up to now and keep everything of it where it is, for a snapshot of several answers.

        Inside, time stands still for it: balances, orders and trades agree with each other and with the place of its
        journal. A transaction, as short as can be: whatever would change the Account waits. Only read in it.
        """

    def settle_due(self, limit: int) -> int:
        """Carry out what has come due by the clock in any Account, at most `limit` events, and say how many."""
