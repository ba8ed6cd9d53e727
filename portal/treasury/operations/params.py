"""What the governed operations on money take, by value."""

from dataclasses import dataclass
from decimal import Decimal

from portal.core.money import plain
from portal.treasury.models import Address
from portal.venues.types import Destination


@dataclass(frozen=True, slots=True)
class AddAddress:
    """A destination for one asset of an Account, by one of the ways out that its venue has."""

    account_id: int
    key: str
    asset: str
    method: str
    address: str
    memo: str = ""


@dataclass(frozen=True, slots=True)
class RenameAddress:
    """The address to be called `new_key`, and the name it had when this was asked."""

    account_id: int
    address_id: int
    key: str
    new_key: str


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """The address to be taken out of the book, and the name it had when this was asked."""

    account_id: int
    address_id: int
    key: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """What leaves and where to, by value (security CR-2): `amount` counts `fee` in, both in `asset`, its id.

    `fee` is the most that the network may take: what people approve. What it takes when it is sent may be less.

    `address_id` says which row of the book it was; nothing is read from there afterwards.
    """

    account_id: int
    address_id: int
    key: str
    asset: str
    amount: Decimal
    fee: Decimal
    address: str
    method: str
    network: str
    memo: str

    @classmethod
    def to(cls, address: Address, *, amount: Decimal, fee: Decimal) -> "Withdraw":
        """Sending `amount` to what this row of the book says now, of which the network may take `fee`."""
        return cls(
            account_id=address.account_id,
            address_id=address.pk,
            key=address.key,
            asset=address.asset,
            amount=Decimal(plain(amount)),
            fee=fee,
            address=address.address,
            method=address.method,
            network=address.network,
            memo=address.memo,
        )

    @property
    def destination(self) -> Destination:
        """Where it goes, as the venue takes it."""
        return Destination(key=self.key, address=self.address, method=self.method, network=self.network, memo=self.memo)
