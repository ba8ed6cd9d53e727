"""Whether the text of a destination can be one at all: its length and its letters, not yet its checksum."""

import re
from dataclasses import dataclass
from typing import Final

from portal.core.errors import Invalid

KEY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,38}[A-Za-z0-9])?", re.ASCII)
MEMO: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """What addresses of one network look like, and how to say so."""

    pattern: re.Pattern[str]
    words: str


def _form(pattern: str, words: str) -> Form:
    return Form(re.compile(pattern, re.ASCII), words)


# Bitcoin: BIP 173 and 350 (bech32), base58 before them. Ethereum: 20 bytes. Solana: 32 bytes in base58.
FORMS: Final = {
    "Bitcoin": _form(
        r"(bc1|BC1)([02-9ac-hj-np-z]{39,59}|[02-9AC-HJ-NP-Z]{39,59})|[13][1-9A-HJ-NP-Za-km-z]{25,34}",
        "begins with bc1, 1 or 3, and has 26 to 62 characters",
    ),
    "Ethereum": _form(r"0x[0-9a-fA-F]{40}", "begins with 0x, and 40 digits 0-9 and a-f follow"),
    "Solana": _form(r"[1-9A-HJ-NP-Za-km-z]{32,44}", "has 32 to 44 letters and digits, without 0, O, I and l"),
    "SWIFT": _form(
        r"[A-Za-z0-9]([A-Za-z0-9 /-]{3,68})[A-Za-z0-9]", "is an account number or IBAN of 5 to 70 characters"
    ),
    "SEPA": _form(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", "is an IBAN without spaces"),
}
OTHER: Final = _form(r"[\x21-\x7e]{4,200}", "has 4 to 200 visible ASCII characters")


def check_address(network: str, text: str) -> None:
    """Raises: Invalid if `text` cannot be an address of `network`; so does whatever a reader could not see."""
    form = FORMS.get(network, OTHER)
    if not form.pattern.fullmatch(text):
        raise Invalid(f"An address on {network} {form.words}.", field="address")


def check_key(key: str) -> None:
    """Raises: Invalid if `key` cannot name an address."""
    if not KEY.fullmatch(key):
        raise Invalid("A name has 1 to 40 letters, digits, spaces, dots, dashes or underscores.", field="key")


def check_memo(memo: str) -> None:
    """Raises: Invalid if `memo` is given and cannot be one."""
    if memo and not MEMO.fullmatch(memo):
        raise Invalid("A memo has at most 100 visible ASCII characters.", field="memo")
