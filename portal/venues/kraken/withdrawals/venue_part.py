"""Money on its way out, as the rest of the portal asks for it."""

from collections.abc import Sequence
from typing import Protocol, cast

from portal.core.money import from_units, to_units
from portal.venues.errors import BelowMinimum, FeeRose
from portal.venues.kraken.models import Withdrawal
from portal.venues.kraken.withdrawals import calling_back, finding, intents, methods, pages, quotes, rows
from portal.venues.types import (
    Asset,
    Balance,
    Destination,
    WithdrawalMethod,
    WithdrawalPage,
    WithdrawalQuery,
    WithdrawalQuote,
    WithdrawalRow,
)


class Reads(Protocol):
    """What the other part of the venue reads: assets, and balances less all holds."""

    def asset(self, name: str) -> Asset:
        """See Catalogue.asset."""

    def balances(self, account_id: int) -> Sequence[Balance]:
        """See Books.balances; inside of a transaction the last known ones."""


class KrakenWithdrawals:
    """Fulfils `Withdrawals`."""

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        """As the exchanges of the Accounts last said."""
        return methods.methods(self._reads.asset)

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        """Out of the same list, the name in any case of letters."""
        return methods.method(asset, name, self._reads.asset)

    def withdrawal_quote(
        self, account_id: int, *, asset: str, destination: Destination, amount_units: int, with_limit: bool
    ) -> WithdrawalQuote:
        """By the exchange's own word, less what waits here; what holding goes by is read along."""
        method = self.withdrawal_method(asset, destination.method)
        method, limit = quotes.quote(account_id, method, destination, amount_units)
        decimals = method.asset.decimals
        held = sum(
            row.units - row.held_by_orders_units
            for row in self._reads.balances(account_id)
            if row.asset.id == method.asset.id
        )
        free_units = held - quotes.units(method.fee, decimals)
        return WithdrawalQuote(method, max(0, min(quotes.units(limit, decimals), free_units)))

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
        """A row under the lock of the Account's holds; the exchange is not asked."""
        method = self.withdrawal_method(asset, destination.method)
        decimals = method.asset.decimals
        most = quotes.units(method.fee, decimals) if max_fee_units is None else max_fee_units
        wanted = intents.Wanted(account_id, reference, asked_as, method, amount_units, most, destination)
        first = intents.first_answer(wanted)
        if first is None:
            if from_units(amount_units, decimals) < method.minimum or amount_units <= most:
                words = f"{method.name} takes {method.minimum:f} {method.asset.code} or more, fee included."
                raise BelowMinimum(words, field="amount")
            if to_units(method.fee, decimals) > most:
                words = f"The network takes {method.fee:f} {method.asset.code} now. Ask for a new withdrawal."
                raise FeeRose(words, field="max_fee")
            intents.lock_holds(account_id)
            first = intents.hold(wanted, self._reads.balances(account_id))
        return self._row(first)

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        """The intent alone: what sends it looks for intents, and does it outside of every transaction."""
        return self._row(intents.intend(reference))

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        """Only what has not left, for certain."""
        return self._row(intents.release(reference))

    def release_withdrawals(self, references: Sequence[str]) -> int:
        """Two statements, however many they are."""
        return intents.release_all(references)

    def cancel_withdrawal(self, reference: str) -> bool:
        """Here while it waits to be sent, then at the exchange, which says whether it can."""
        return calling_back.cancel(reference)

    def doubt_withdrawals(self, account_id: int) -> int:
        """Each is looked for before it is sent, from when it was asked on."""
        return intents.doubt(account_id)

    def withdrawal(self, reference: str) -> WithdrawalRow:
        """As we know it; nobody is asked."""
        return self._row(finding.one(reference))

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        """The exchange's list and ours in one, each once."""
        return pages.page(account_id, query, self._reads.asset)

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        """As we know them; those that are unknown are left out."""
        return {row.reference: self._row(row) for row in Withdrawal.objects.filter(reference__in=references)}

    @property
    def _reads(self) -> Reads:
        return cast("Reads", self)

    def _row(self, row: Withdrawal) -> WithdrawalRow:
        return rows.row_of(row, self._reads.asset)
