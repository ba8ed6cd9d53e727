"""Money on its way out, as the rest of the portal asks for it."""

from collections.abc import Sequence

from portal.core.errors import Unavailable
from portal.venues.types import (
    Destination,
    WithdrawalMethod,
    WithdrawalPage,
    WithdrawalQuery,
    WithdrawalQuote,
    WithdrawalRow,
)

NOT_READ = "This cannot be read from the exchange yet."


class KrakenWithdrawals:
    """Fulfils `Withdrawals`."""

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def hold_withdrawal(
        self,
        account_id: int,
        *,
        reference: str,
        asset: str,
        amount_units: int,
        destination: Destination,
        max_fee_units: int | None = None,
        request: str = "",
    ) -> WithdrawalRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def release_withdrawals(self, references: Sequence[str]) -> int:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def withdrawal_quote(
        self, account_id: int, *, asset: str, destination: Destination, amount_units: int, with_limit: bool
    ) -> WithdrawalQuote:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def cancel_withdrawal(self, reference: str) -> bool:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def withdrawal(self, reference: str) -> WithdrawalRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)
