"""What a withdrawal would cost, bring and leave, before anybody asks for it."""

from dataclasses import dataclass
from decimal import Decimal

from portal.core.display import markup
from portal.core.errors import Invalid
from portal.core.money import from_units
from portal.treasury import mirrors
from portal.treasury.errors import AddressDrifted
from portal.treasury.models import Address
from portal.treasury.operations import Withdraw
from portal.venues.errors import BelowMinimum, InsufficientFunds
from portal.venues.registry import venue
from portal.venues.types import WithdrawalMethod


@dataclass(frozen=True, slots=True)
class Preview:
    """Amounts in the asset, `amount` with the fee in it; None where none was given. `trouble` says why it cannot be."""

    address: Address
    method: WithdrawalMethod
    free: Decimal
    amount: Decimal | None
    trouble: Invalid | None

    @property
    def drift(self) -> str:
        """Why nothing is sent there whatever the amount; empty if nothing is against it."""
        return self.trouble.message if isinstance(self.trouble, AddressDrifted) else ""

    @property
    def code(self) -> str:
        """The asset's name beside each amount."""
        return self.method.asset.code

    @property
    def arrives(self) -> Decimal | None:
        """What the other side gets, the amount without the fee; None before there is an amount."""
        return None if self.amount is None else self.amount - self.method.fee

    @property
    def left(self) -> Decimal | None:
        """What then stays free in the Account; None before there is an amount."""
        return None if self.amount is None else self.free - self.amount

    def params(self, most: Decimal) -> Withdraw:
        """What would be asked, by value; the network may take `most`.

        Raises: Invalid without an amount that can be.
        """
        if self.trouble is not None:
            raise self.trouble
        if self.amount is None:
            raise Invalid("Write the amount.", field="amount")
        return Withdraw.to(self.address, amount=self.amount, fee=most)


def preview(address: Address, amount: Decimal | None) -> Preview:
    """How sending `amount`, fee included, to `address` would go, as things stand."""
    exchange = venue(address.account.venue)
    method = exchange.withdrawal_method(address.asset, address.method)
    rows = [row for row in exchange.balances(address.account_id) if row.asset == method.asset]
    free = from_units(sum(row.units - row.held_by_orders_units for row in rows), method.asset.decimals)
    drift = mirrors.trouble_with(address.account, address)
    trouble: Invalid | None = AddressDrifted(drift, field="address") if drift else None
    if trouble is None and amount is not None:
        trouble = _trouble(method, free, amount)
    if amount is not None and trouble is None:
        said = exchange.withdrawal_quote(
            address.account_id,
            asset=address.asset,
            destination=mirrors.destination_of(address),
            amount_units=method.units_of(amount),
            with_limit=False,
        )
        method = said.method
    return Preview(address, method, free, amount, trouble)


def _trouble(method: WithdrawalMethod, free: Decimal, amount: Decimal) -> Invalid | None:
    code = method.asset.code
    try:
        method.units_of(amount)
    except Invalid as error:
        return error
    if amount < method.minimum:
        return BelowMinimum(
            f"{method.name} takes {markup.said(method.minimum, code)} or more, fee included.", field="amount"
        )
    if amount > free:
        return InsufficientFunds(f"The Account has {markup.said(free, code)} free.", field="amount")
    return None
