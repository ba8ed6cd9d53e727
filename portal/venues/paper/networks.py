"""The simulated networks: ways out, what they take, and how a withdrawal moves by the clock."""

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal

from portal.venues.errors import UnknownMethod
from portal.venues.paper import catalogue
from portal.venues.types import Asset, Stage, WithdrawalMethod

BITCOIN, ETHEREUM, SOLANA, SWIFT, SEPA = "Bitcoin", "Ethereum", "Solana", "SWIFT", "SEPA"


# What these networks cut off: a satoshi, a lamport, a cent, and the six places of the USDC contract.
BTC_DECIMALS, SOL_DECIMALS, USDC_DECIMALS, BANK_DECIMALS = 8, 9, 6, 2


def _method(
    asset: Asset, name: str, network: str, fee: str, minimum: str, decimals: int | None = None
) -> WithdrawalMethod:
    return WithdrawalMethod(asset, name, network, Decimal(fee), Decimal(minimum), network_decimals=decimals)


METHODS = (
    _method(catalogue.BTC, "Bitcoin", BITCOIN, "0.00005", "0.0005", BTC_DECIMALS),
    _method(catalogue.ETH, "Ether (Hex)", ETHEREUM, "0.0006", "0.005"),
    _method(catalogue.USD, "Bank transfer", SWIFT, "4", "20", BANK_DECIMALS),
    _method(catalogue.EUR, "Bank transfer", SEPA, "1", "5", BANK_DECIMALS),
    _method(catalogue.USDC, "USDC (ERC20)", ETHEREUM, "1.5", "10", USDC_DECIMALS),
    _method(catalogue.SOL, "Solana", SOLANA, "0.01", "0.1", SOL_DECIMALS),
)
_BY_NAME = {(method.asset.id, method.name.lower()): method for method in METHODS}

# From sending on. A withdrawal succeeds within ten seconds of it (DESIGN V1).
STAGES = (
    (timedelta(seconds=6), Stage.SUCCESS),
    (timedelta(seconds=3), Stage.SETTLED),
    (timedelta(seconds=1), Stage.PENDING),
)
ON_CHAIN = frozenset({Stage.SETTLED, Stage.SUCCESS})
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def method(asset: str, name: str) -> WithdrawalMethod:
    """The way out of `asset`, under any of its spellings, that is called `name`.

    Raises: UnknownAsset, UnknownMethod.
    """
    found = _BY_NAME.get((catalogue.asset(asset).id, name.lower()))
    if found is None:
        raise UnknownMethod("The asset cannot leave that way.", field="method")
    return found


def stage(*, sent_at: datetime | None, released_at: datetime | None, now: datetime) -> Stage:
    """How far a withdrawal has got at `now`."""
    if released_at is not None:
        return Stage.CANCELED
    if sent_at is None:
        return Stage.HELD
    return next((stage for after, stage in STAGES if now - sent_at >= after), Stage.INITIAL)


def txid(network: str, reference: str) -> str:
    """What the network calls the transfer: always the same for one reference, in the form usual there."""
    digest = hashlib.sha512(f"{network}:{reference}".encode())
    if network == BITCOIN:
        return digest.hexdigest()[:64]
    if network == ETHEREUM:
        return "0x" + digest.hexdigest()[:64]
    if network == SOLANA:
        return base58(digest.digest())
    return digest.hexdigest()[:20].upper()


def base58(raw: bytes) -> str:
    """Bytes in the letters of Bitcoin and Solana."""
    number, text = int.from_bytes(raw), ""
    while number:
        number, digit = divmod(number, len(BASE58))
        text = BASE58[digit] + text
    return text
