"""Ethereum's addresses: the capitals of their letters are a checksum (EIP-55)."""

from typing import Final

from eth_hash.auto import keccak

# A letter is a capital where the digit of the hash at its place is one of these.
CAPITAL: Final = frozenset("89abcdef")


def with_checksum(address: str) -> str:
    """The address, `0x` and 40 hexadecimal digits in whatever case, in that of its checksum."""
    digits = address[2:].lower()
    said = keccak(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if mark in CAPITAL else digit for digit, mark in zip(digits, said, strict=False)
    )
