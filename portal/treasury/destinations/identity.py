"""What an address leads to, in one text: the same however it is called, and whatever case it was written in."""

from functools import lru_cache
from typing import Final

from portal.core.errors import Invalid
from portal.core.ethereum import with_checksum
from portal.treasury import destinations
from portal.treasury.destinations import ethereum

# Stands in no address and no memo: those are visible ASCII, but for the Latin letters of who holds an account.
BETWEEN: Final = " · "
# A network of 40 characters, an address of 200, a memo of 100, and what stands between.
IDENTITY_LENGTH: Final = 346


@lru_cache(maxsize=4096)
def identity(network: str, address: str, memo: str) -> str:
    """As rules name it, and people can read it: `Bitcoin · bc1q…`, with the memo behind it where there is one.

    Of a bank account the number alone: a reference or another holder's name pays nobody else.
    """
    if destinations.network_of(network).is_bank:
        return BETWEEN.join((network, _written(network, address).rpartition("/")[0] or address))
    return BETWEEN.join(filter(None, (network, _written(network, address), memo)))


def parts_of(text: str) -> tuple[str, str, str]:
    """The network, the address and the memo of an `identity`; of another text what stands in their places.

    Of a bank account the address is what its addresses in the book begin with.
    """
    network, _, rest = text.partition(BETWEEN)
    address, _, memo = rest.partition(BETWEEN)
    return network, address, memo


def _written(network: str, address: str) -> str:
    """The address in the one way to write it; one that an exchange lists in a way of its own as it stands there."""
    if network not in destinations.NETWORKS and ethereum.FORM.fullmatch(address):
        return with_checksum(address)
    try:
        return destinations.canonical(network, address)
    except Invalid:
        return address
