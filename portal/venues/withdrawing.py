"""What a venue must answer about money on its way out: held, sent once, called back, told."""

from collections.abc import Sequence
from typing import Protocol

from portal.venues.types import (
    Destination,
    WithdrawalMethod,
    WithdrawalPage,
    WithdrawalQuery,
    WithdrawalQuote,
    WithdrawalRow,
)


class Withdrawals(Protocol):
    """Money on its way out. Amounts are whole units of the asset's smallest part."""

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        """Every way out, of each asset."""

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        """The way out of the asset that is called `name`. Raises: UnknownAsset, UnknownMethod."""

    def hold_withdrawal(
        self,
        account_id: int,
        *,
        reference: str,
        asset: str,
        amount_units: int,
        destination: Destination,
        max_fee_units: int | None = None,
        asked_as: str = "",
    ) -> WithdrawalRow:
        """Take `amount_units`, fee included, off the free balance at once and keep it for `reference`.

        `asked_as` names the ChangeRequest that it is kept for.

        `max_fee_units` is the most that the network may take of it when it is sent; what it takes now if none is given.
        It is the row's fee until then. A repeat with the same reference gives the first answer. Runs in the caller's
        transaction.

        Raises: UnknownAsset, UnknownMethod, BelowMinimum, InsufficientFunds, FeeRose; Conflict where the reference is
        another withdrawal's. Nothing is held then.
        """

    def withdrawal_quote(
        self, account_id: int, *, asset: str, destination: Destination, amount_units: int, with_limit: bool
    ) -> WithdrawalQuote:
        """What sending that amount there would take at this moment; asked outside of a transaction, before it is held.

        Raises: UnknownAsset, UnknownMethod, BelowMinimum; Unavailable while the venue cannot say.
        """

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        """Book the withdrawal at the fee of this moment and set it on its way, once; a repeat gives the first answer.

        Where another exchange carries it out only that is written, in the caller's transaction, and it is AGREED.

        Raises: UnknownReference; TooLate if it was released; FeeRose if the network takes more than was allowed.
        """

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        """Give a held amount back, once; a repeat gives the first answer.

        Raises: UnknownReference, or TooLate if it was sent.
        """

    def release_withdrawals(self, references: Sequence[str]) -> int:
        """Give back all that is held under these references, in one transaction; say how many that were.

        What was sent, was given back before, or is unknown is left as it is.
        """

    def cancel_withdrawal(self, reference: str) -> bool:
        """Call back what was agreed to, as far as the venue can: whether it will not arrive, or that was asked for.

        What cannot be called back any more is noted as such. Asked outside of a transaction.

        Raises: UnknownReference; Unavailable while the venue cannot say.
        """

    def doubt_withdrawals(self, account_id: int) -> int:
        """After an older backup was restored: what has not left by what is known here may have. Say how many those are.

        Where another exchange carries them out none of them is sent before it was looked for there.
        """

    def withdrawal(self, reference: str) -> WithdrawalRow:
        """One withdrawal as it stands. Raises: UnknownReference."""

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        """The Account's withdrawals at every stage, newest first.

        Raises: UnknownAsset; Invalid for a cursor that no page of this Account gave.
        """

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        """The rows of several references, for lists, in one statement; those unknown are left out."""
