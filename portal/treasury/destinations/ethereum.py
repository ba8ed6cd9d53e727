"""Ethereum and networks like it: 20 bytes in hexadecimal, whose capitals are the checksum (EIP-55)."""

import re
from typing import Final

from portal.core.errors import Invalid
from portal.core.ethereum import with_checksum

FORM: Final = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
NOBODY: Final = "0x" + "0" * 40


def canonical(text: str) -> str:
    """`text` with the capitals of its checksum; one in small letters only brings none. Raises: Invalid."""
    if not FORM.fullmatch(text):
        raise Invalid("An address on Ethereum begins with 0x, and 40 digits 0-9 and a-f follow.", field="address")
    checked = with_checksum(text)
    digits = text[2:]
    if checked == NOBODY:
        raise Invalid("Nobody holds the key of this address. Money sent there is lost.", field="address")
    if text != checked and digits != digits.lower():
        raise Invalid("The checksum, its capitals, does not fit: a letter is wrong. Copy it again.", field="address")
    return checked
