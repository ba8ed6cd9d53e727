"""Where money can go: whether a text is an address of a network, and the one way to write it.

An address is one text. Those of banks have parts, with a stroke between them: `BIC/account/holder` by SWIFT,
`IBAN/holder` by SEPA.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from portal.core.errors import Invalid
from portal.treasury.destinations import banks, bitcoin, ethereum, solana

KEY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?", re.ASCII)
MEMO: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?", re.ASCII)
LISTED: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?", re.ASCII)
OTHER: Final = re.compile(r"[\x21-\x7e]{4,200}", re.ASCII)
LONGEST: Final = 200
SHORT: Final = 20


@dataclass(frozen=True, slots=True)
class Network:
    """How addresses of one network are written.

    `canonical` raises Invalid for what is none, `hint` says what is wanted where one field takes it all, `parts` are
    the labels of what a stroke keeps apart, and `memo` is what people call the memo there; empty where there is none.
    """

    name: str
    canonical: Callable[[str], str]
    hint: str
    memo: str = ""
    parts: tuple[str, ...] = ("",)

    @property
    def is_bank(self) -> bool:
        """Whether it is typed in several parts, as accounts of banks are."""
        return len(self.parts) > 1


NETWORKS: Final = {
    network.name: network
    for network in (
        Network("Bitcoin", bitcoin.canonical, "Begins with bc1, 1 or 3. Main network only."),
        Network("Ethereum", ethereum.canonical, "Begins with 0x, then 40 digits 0-9 and a-f."),
        Network("Solana", solana.canonical, "32 to 44 letters and digits.", memo="Memo"),
        Network("SWIFT", banks.swift, "", memo="Payment reference", parts=("BIC", "Account", banks.HOLDER)),
        Network("SEPA", banks.sepa, "", memo="Payment reference", parts=("IBAN", banks.HOLDER)),
    )
}


def network_of(name: str) -> Network:
    """What is known of the network; of one that is not, that its addresses are visible ASCII."""
    return NETWORKS.get(name) or Network(name, _visible, "4 to 200 visible ASCII characters.", memo="Memo")


def canonical(network: str, text: str) -> str:
    """`text` as an address of `network` is written. Raises: Invalid, naming what is wrong and where it would fit."""
    if len(text) > LONGEST:
        raise Invalid(f"An address has at most {LONGEST} characters; this has {len(text)}.", field="address")
    try:
        return network_of(network).canonical(text)
    except Invalid:
        elsewhere = _network_that_takes(text, but=network)
        if elsewhere is None:
            raise
        raise Invalid(f"This is an address on {elsewhere}, not on {network}.", field="address") from None


def check_address(network: str, text: str) -> None:
    """Raises: Invalid if `text` is no address of `network`, or is not written in the one way."""
    if canonical(network, text) != text:
        raise Invalid(f"Write this address as {canonical(network, text)}.", field="address")


def check_listed(network: str, text: str) -> None:
    """The same of an address that an exchange lists: written as it is there, for it goes back there letter by letter.

    Of banks only the shape is known: each exchange writes their accounts in a way of its own.
    """
    if not LISTED.fullmatch(text):
        raise Invalid(f"An address has at most {LONGEST} visible ASCII characters.", field="address")
    if network in NETWORKS and not NETWORKS[network].is_bank:
        canonical(network, text)


def is_same(network: str, one: str, other: str) -> bool:
    """Whether two texts are one address of `network`, however each is written."""
    try:
        return canonical(network, one) == canonical(network, other)
    except Invalid:
        return one == other


def check_key(key: str) -> None:
    """Raises: Invalid if `key` cannot name an address."""
    if not KEY.fullmatch(key):
        raise Invalid("A name has 1 to 64 letters, digits, spaces, dots, dashes or underscores.", field="key")
    if "  " in key:
        # A page shows them as one: two names would read alike, and lead to two places.
        raise Invalid("Put one space between two words of a name.", field="key")


def check_memo(network: str, memo: str) -> None:
    """Raises: Invalid if `memo` is given and cannot be one, or the network carries none."""
    if memo and not network_of(network).memo:
        raise Invalid(f"{network} carries no memo. Leave it empty.", field="memo")
    if memo and not MEMO.fullmatch(memo):
        raise Invalid("A memo has at most 100 visible ASCII characters.", field="memo")


def parts(network: str, text: str) -> tuple[tuple[str, str], ...]:
    """The labelled parts of an address; a single one without a label where there is nothing to tell apart."""
    labels = network_of(network).parts
    texts = text.split("/", len(labels) - 1)
    return tuple(zip(labels, texts, strict=False)) if len(labels) > 1 else (("", text),)


def ends(network: str, text: str) -> tuple[str, str]:
    """The first and the last group of four as pages set them: what an eye compares, and what a look-alike copies."""
    first = next((part for label, part in parts(network, text) if label in ("", "IBAN", "Account")), text)
    return first[:4], first[(len(first) - 1) // 4 * 4 :]


def short(network: str, text: str) -> str:
    """An address by its ends in one line, for lists to choose from: of a bank its last number and who holds it."""
    named = dict(parts(network, text))
    holder = named.pop(banks.HOLDER, "")
    number = list(named.values())[-1]
    cut = number if len(number) <= SHORT else f"{number[:8]}…{number[-8:]}"
    return f"{cut}, {holder}" if holder else cut


def network_by_look(text: str) -> str:
    """The network whose form an address has that was kept without its name; empty where one text is all of it."""
    strokes = text.count("/")
    return {1: "SEPA", 2: "SWIFT"}.get(min(strokes, 2), "")


def _network_that_takes(text: str, *, but: str) -> str | None:
    for network in NETWORKS.values():
        if network.name == but or network.is_bank:
            continue
        try:
            network.canonical(text)
        except Invalid:
            continue
        return network.name
    return None


def _visible(text: str) -> str:
    if not OTHER.fullmatch(text):
        raise Invalid("An address has 4 to 200 visible ASCII characters.", field="address")
    return text
