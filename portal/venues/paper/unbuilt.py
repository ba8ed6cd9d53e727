"""What the paper exchange does not answer yet."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NoReturn

from portal.core.errors import Unavailable
from portal.venues import types as t


def _not_yet() -> NoReturn:
    raise Unavailable("The paper exchange does not do that yet.")


class Unbuilt:
    def deposit_methods(self, asset: str) -> Sequence[t.DepositMethod]:
        _not_yet()

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[t.DepositAddress]:
        _not_yet()

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        _not_yet()

    def deposits(self, account_id: int, query: t.DepositQuery) -> t.DepositPage:
        _not_yet()

    def strategies(self, asset: str) -> Sequence[t.Strategy]:
        _not_yet()

    def allocations(self, account_id: int) -> Sequence[t.Allocation]:
        _not_yet()

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        _not_yet()

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        _not_yet()

    def earn_pending(self, account_id: int, strategy_id: str, operation: t.EarnOperation) -> bool:
        _not_yet()
