"""What is wrong with a credential that was tried, and what to do: in words, beside the field where it was typed."""

from typing import Final

from portal.core.errors import DomainError, Invalid, Unavailable
from portal.venues.kraken.models import Purpose

NO_PRIVATE_HALF: Final = (
    "This is no private key of the exchange: it has letters, digits, + and / alone, and ends in ==. Copy it whole, "
    "without spaces."
)
WRONG_PRIVATE_HALF: Final = (
    "The exchange does not know this private key for that API key. Copy both halves again, of one and the same key; "
    "if the private key is lost, make a new key there."
)
UNKNOWN_KEY: Final = (
    "The exchange does not know this API key. It is mistyped, deleted or expired there, or its allow-list there does "
    "not name this portal's address."
)
DENIED: Final = {
    Purpose.REST: "The exchange lets this key read no balance. Permit Query Funds for it there.",
    Purpose.WITHDRAW: "The exchange lets this key read no way to withdraw. Permit Query Funds for it there, "
    "beside Withdraw.",
}
MAY_NOT_WITHDRAW: Final = "The exchange does not let this key withdraw. Permit Withdraw for it there, or make one."
MAY_NOTHING: Final = (
    "The exchange lets this key do nothing that the portal would use it for. Permit Query Funds for it there at least."
)
READS_NO_BALANCE: Final = (
    "None of the keys for everything else may read the balance. Permit Query Funds for one of them at the exchange."
)
TOO_MANY_TRIALS: Final = (
    "You had keys tried ten times within a quarter of an hour, and an exchange locks out whoever sends wrong ones too "
    "often. Nothing was sent. Look at the key at the exchange, and try again in fifteen minutes."
)
NONCE_TOO_LOW: Final = (
    "The exchange has seen higher nonces of this key than the portal counts: somebody else uses it, or did. Make a new "
    "key there that nobody uses but the portal."
)
NONCE_TOO_HIGH: Final = (
    "Somebody has used this key with nonces so high that none are left to count. Make a new key at the exchange that "
    "nobody uses but the portal."
)
LOCKED_OUT: Final = (
    "The exchange has locked its door after too many refused calls. Wait for a quarter of an hour without trying "
    "again: each further try begins that time anew."
)
BUSY: Final = (
    "The exchange takes no calls just now ({said}). Nothing is wrong with what you typed: try again in a minute."
)
CLOSED: Final = "The exchange does not take this key: {said}. Look at the account and its keys there."
NO_REACH: Final = (
    "The exchange cannot be reached. Try again in a minute; if it stays so, ask the operator whether this machine may "
    "call it, and whether PORTAL_EXCHANGES names its address."
)
NO_SENSE: Final = (
    "What answers at the exchange's address gives no answer of the exchange, or not in time. Try again in a minute; if "
    "it stays so, ask the operator whether PORTAL_EXCHANGES names its address."
)
NO_CATALOGUE: Final = (
    "The exchange takes the keys, and does not say what is traded there: without its assets and pairs nothing could be "
    "shown. Try again in a minute."
)
OTHER_ACCOUNT: Final = (
    "This key belongs to another account at the exchange than the others of this Account. Take one of the same account."
)
USED_HERE: Final = (
    "This key is connected already. Each Account has keys of its own, since two that count nonces for one key hinder "
    "each other. Make another one at the exchange."
)
TWICE: Final = "This is the same key as the other one. Make one key for withdrawals and another for everything else."
# By how an error string begins; the first that fits counts.
KNOWN: Final[tuple[tuple[str, str, str], ...]] = (
    ("EAPI:Invalid signature", WRONG_PRIVATE_HALF, "secret"),
    ("EAPI:Invalid key", UNKNOWN_KEY, "public"),
    ("EAPI:Invalid nonce", NONCE_TOO_LOW, "public"),
)
CLOSED_BY: Final = ("EAPI:Feature disabled", "EAccount:", "EAuth:Account")
LONGEST_SAID: Final = 120


def of(errors: tuple[str, ...], method: str, purpose: Purpose, *, fields: str) -> DomainError:
    """What to say of the errors with which the exchange refused a trial by `method`.

    `fields` begins the names of the credential's fields in the form.
    """
    if any(error.startswith("EGeneral:Temporary lockout") for error in errors):
        return Unavailable(LOCKED_OUT)
    for error in errors:
        for start, said, half in KNOWN:
            if error.startswith(start):
                return Invalid(said, field=f"{fields}{half}")
        if error.startswith("EGeneral:Permission denied"):
            return Invalid(DENIED[purpose] if method != "GetApiKeyInfo" else MAY_NOTHING, field=f"{fields}public")
    words = ", ".join(errors)[:LONGEST_SAID]
    if any(error.startswith(CLOSED_BY) for error in errors):
        return Invalid(CLOSED.format(said=words), field=f"{fields}public")
    return Unavailable(BUSY.format(said=words))
