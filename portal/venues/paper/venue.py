"""PaperVenue: the exchange in the database (DESIGN V1), as the rest of the portal sees it."""

from collections.abc import Sequence

from portal.venues.paper import catalogue, networks, withdrawals
from portal.venues.paper.ledger import balances, history
from portal.venues.paper.unbuilt import Unbuilt
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


class PaperVenue(Unbuilt):
    """Fulfils `Venue`; what each answer means stands there."""

    name = "paper"

    def assets(self) -> Sequence[Asset]:
        return catalogue.ASSETS

    def asset(self, name: str) -> Asset:
        return catalogue.asset(name)

    def pairs(self) -> Sequence[Pair]:
        return catalogue.PAIRS

    def pair(self, name: str) -> Pair:
        return catalogue.pair(name)

    def balances(self, account_id: int) -> Sequence[Balance]:
        return balances.balances(account_id)

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        return history.page(account_id, query)

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        return history.rows(account_id, ids)

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        return networks.METHODS

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        return networks.method(asset, name)

    def hold_withdrawal(
        self, account_id: int, *, reference: str, asset: str, amount_units: int, destination: Destination
    ) -> WithdrawalRow:
        return withdrawals.hold(
            account_id, reference=reference, asset=asset, amount_units=amount_units, destination=destination
        )

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        return withdrawals.send(reference)

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        return withdrawals.release(reference)

    def deny_cancel(self, reference: str) -> None:
        withdrawals.deny_cancel(reference)

    def withdrawal(self, reference: str) -> WithdrawalRow:
        return withdrawals.one(reference)

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        return withdrawals.page(account_id, query)

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        return withdrawals.by_reference(references)
