"""Bitcoin's main network: base58check (P2PKH, P2SH), bech32 (BIP 173) and bech32m (BIP 350)."""

from typing import Final

from embit import base58, bech32

from portal.core.errors import Invalid

P2PKH, P2SH = 0x00, 0x05
HASH_BYTES: Final = 20
TAPROOT, TAPROOT_BYTES = 1, 32
# Prefixes of the test networks, in either form.
TEST_VERSIONS: Final = frozenset({0x6F, 0xC4})
TEST_PREFIXES: Final = ("tb1", "bcrt1")


def canonical(text: str) -> str:
    """`text`, in small letters if it is bech32. Raises: Invalid."""
    if text.lower().startswith(TEST_PREFIXES):
        raise _test_network()
    if text.lower().startswith("bc1"):
        return _segwit(text)
    if text.startswith(("1", "3", "m", "n", "2")):
        return _base58(text)
    raise Invalid("An address on Bitcoin begins with bc1, 1 or 3.", field="address")


def _segwit(text: str) -> str:
    if text not in (text.lower(), text.upper()):
        raise Invalid("Small and capital letters are mixed. Copy the address again.", field="address")
    version, program = bech32.decode("bc", text)
    if version is None or program is None:
        raise _mistyped()
    if version > TAPROOT or (version == TAPROOT and len(program) != TAPROOT_BYTES):
        raise Invalid("Bitcoin does not use addresses of this version yet. Money sent there is lost.", field="address")
    return text.lower()


def _base58(text: str) -> str:
    try:
        raw = base58.decode_check(text)
    except ValueError:
        raise _mistyped() from None
    if len(raw) != HASH_BYTES + 1:
        raise _mistyped()
    if raw[0] in TEST_VERSIONS:
        raise _test_network()
    if raw[0] not in (P2PKH, P2SH):
        raise Invalid("This is an address of another network than Bitcoin.", field="address")
    return text


def _mistyped() -> Invalid:
    return Invalid("The checksum does not fit: a letter is wrong or missing. Copy the address again.", field="address")


def _test_network() -> Invalid:
    return Invalid("This is an address of Bitcoin's test network. Money sent there is lost.", field="address")
