"""What an exchange must answer. Nothing above this knows which one it is (DESIGN §8)."""

from collections.abc import Sequence
from typing import Protocol

from portal.core.errors import Conflict, Insufficient, NotFound
from portal.venues.types import (
    Asset,
    Balance,
    Destination,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    Pair,
    WithdrawalMethod,
    WithdrawalPage,
    WithdrawalQuery,
    WithdrawalRow,
)


class UnknownAsset(NotFound):
    """The venue has no asset of that name."""


class UnknownPair(NotFound):
    """The venue has no pair of that name."""


class UnknownMethod(NotFound):
    """The asset cannot leave that way."""


class UnknownReference(NotFound):
    """No withdrawal of this Account has that reference."""


class BelowMinimum(Insufficient):
    """Less than the network takes."""


class InsufficientFunds(Insufficient):
    """More than the Account has free."""


class TooLate(Conflict):
    """The withdrawal has already left or ended."""


class Venue(Protocol):
    """Carries out orders, deposits and withdrawals for Accounts, and answers queries about them.

    Amounts are whole units of the asset's smallest part. Assets are found under any spelling of the protocol
    (canonical, altname, BTC and DOGE, any case).
    """

    name: str

    def assets(self) -> Sequence[Asset]: ...

    def asset(self, name: str) -> Asset:
        """Raises: UnknownAsset."""

    def pairs(self) -> Sequence[Pair]: ...

    def pair(self, name: str) -> Pair:
        """Found under canonical id, altname, wsname or v2 symbol. Raises: UnknownPair."""

    def balances(self, account_id: int) -> Sequence[Balance]:
        """Every asset the Account ever had, by asset id, in one statement."""

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage: ...

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]: ...

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]: ...

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        """Raises: UnknownMethod."""

    def hold_withdrawal(
        self, account_id: int, *, reference: str, asset: str, amount_units: int, destination: Destination
    ) -> WithdrawalRow:
        """Take `amount_units`, fee included, off the free balance at once and keep it for `reference`.

        A repeat with the same reference gives the first answer. Runs in the caller's transaction.

        Raises: UnknownAsset, UnknownMethod, BelowMinimum, InsufficientFunds; nothing is held then.
        """

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        """Book the withdrawal and set it on its way, once; a repeat gives the first answer.

        Raises: UnknownReference, or TooLate if it was released.
        """

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        """Give a held amount back, once; a repeat gives the first answer.

        Raises: UnknownReference, or TooLate if it was sent.
        """

    def deny_cancel(self, reference: str) -> None:
        """Note that a cancel came too late."""

    def withdrawal(self, reference: str) -> WithdrawalRow:
        """Raises: UnknownReference."""

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage: ...

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        """The rows of several references, for lists, in one statement."""
