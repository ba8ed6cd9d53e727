"""Solana: 32 bytes in base58. Its addresses have no checksum."""

import re
from typing import Final

from embit import base58

from portal.core.errors import Invalid

FORM: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}", re.ASCII)
BYTES: Final = 32


def canonical(text: str) -> str:
    """`text`. Raises: Invalid."""
    if not FORM.fullmatch(text):
        raise Invalid("An address on Solana has 32 to 44 letters and digits, without 0, O, I and l.", field="address")
    raw = base58.decode(text)
    if len(raw) != BYTES:
        raise Invalid("This is not an address on Solana: a letter is missing, or one too many.", field="address")
    if not any(raw):
        raise Invalid("Nobody holds the key of this address. Money sent there is lost.", field="address")
    return text
