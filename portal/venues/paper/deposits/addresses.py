"""Deposit addresses: derived, never random, and such that no real network would take money there."""

from hashlib import sha256

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from embit import bech32

from accounts.models import Account
from portal.core.ethereum import with_checksum
from portal.venues.errors import TooManyAddresses
from portal.venues.paper import catalogue, networks
from portal.venues.paper.deposits.models import DepositAddress
from portal.venues.types import DepositAddress as AddressRow
from portal.venues.types import DepositMethod, WithdrawalMethod

UNUSED = 5
MARK = b"paper-"


def methods(asset_id: str) -> list[DepositMethod]:
    """The ways in for an asset: the networks by which it can leave."""
    return [_method(method) for method in networks.METHODS if method.asset.id == asset_id]


def method(asset: str, name: str) -> DepositMethod:
    """The only way in also has the asset's code for a name, as one client calls it.

    Raises: UnknownAsset, UnknownMethod.
    """
    found = catalogue.asset(asset)
    ways = methods(found.id)
    if len(ways) == 1 and name.upper() == found.code:
        return ways[0]
    return _method(networks.method(asset, name))


def addresses(account_id: int, asset: str, name: str, *, new: bool) -> list[AddressRow]:
    """See Deposits.deposit_addresses."""
    way = method(asset, name)
    with transaction.atomic():
        # Two calls at once would give two addresses the same number.
        Account.objects.select_for_update(no_key=True).get(pk=account_id)
        found = list(_of(account_id, way))
        if not found or new:
            if sum(address.used_at is None for address in found) >= UNUSED:
                raise TooManyAddresses(f"{UNUSED} addresses are unused: deposit to one of them first.")
            found.insert(0, _made(account_id, way, len(found) + 1))
    return [AddressRow(address.address, memo="", is_new=address.used_at is None) for address in found]


def has_one(account_id: int, asset: str, name: str) -> bool:
    """Whether the Account has an address there already."""
    return _of(account_id, method(asset, name)).exists()


def _of(account_id: int, way: DepositMethod) -> QuerySet[DepositAddress]:
    own = DepositAddress.objects.filter(account_id=account_id, asset=way.asset.id, method=way.name)
    return own.order_by("-number")


def _made(account_id: int, way: DepositMethod, number: int) -> DepositAddress:
    return DepositAddress.objects.create(
        account_id=account_id,
        asset=way.asset.id,
        method=way.name,
        number=number,
        address=derived(way, account_id, number),
        created_at=timezone.now(),
    )


def derived(way: DepositMethod, account_id: int, number: int) -> str:
    """The address of an Account for a method, always the same for the same number.

    Bitcoin's are those of its test network. The others begin with a mark that nobody holds a key for.
    """
    drawn = sha256(f"{way.asset.id}:{way.name}:{account_id}:{number}".encode()).digest()
    if way.network == networks.BITCOIN:
        return str(bech32.encode("tb", 0, drawn[:20]))
    if way.network == networks.ETHEREUM:
        return with_checksum(f"0x{(MARK + drawn[:14]).hex()}")
    if way.network == networks.SOLANA:
        return networks.base58(MARK + drawn[:26])
    return f"PAPER {account_id} {number:03} {drawn.hex()[:6].upper()}"


def _method(way: WithdrawalMethod) -> DepositMethod:
    is_bank = way.network in {networks.SWIFT, networks.SEPA}
    return DepositMethod(way.asset, way.name, way.network, minimum=way.minimum, makes_addresses=not is_bank)
