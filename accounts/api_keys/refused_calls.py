"""Why a call was refused, in words for the author of the bot. The bot itself hears the protocol's string alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from accounts.models import ApiKey, RefusedCall


class Reason(StrEnum):
    """What was wrong. NO_KEY is looked into when it is written: revoked, lapsed, unclaimed, suspended or removed."""

    NO_KEY = "no_key"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    UNCLAIMED = "unclaimed"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    ADDRESS = "address"
    LOCKED_OUT = "locked_out"
    SIGNATURE = "signature"
    NONCE_MISSING = "nonce_missing"
    NONCE_AHEAD = "nonce_ahead"
    NONCE_USED = "nonce_used"
    CALLS = "calls"
    METHOD = "method"
    PERMISSION = "permission"
    NOT_SERVED = "not_served"
    OPTION = "option"
    ARGUMENTS = "arguments"
    BODY = "body"
    PLAIN_HTTP = "plain_http"
    RULE = "rule"
    DENIED = "denied"
    CAP = "cap"
    EXCHANGE = "exchange"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKEN_OF_OTHER = "token_of_other"  # noqa: S105
    SOCKETS = "sockets"
    STREAM_OFF = "stream_off"


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, and what to do about it."""

    what: str
    advice: str


Words = Callable[[Mapping[str, str]], Told]

# Digits of a nonce as the clients count today, and which clock that is.
CLOCKS: Final = {10: "seconds", 13: "milliseconds", 16: "microseconds", 18: "10 nanoseconds", 19: "nanoseconds"}
NEVER_AGAIN: Final = "Ask for a new key: this one will not work again."


def why_dead(key: ApiKey, at: datetime) -> Reason:
    """Why a key that exists was not found among those that work."""
    bot = key.service_user
    tests = (
        (bot.removed_at is not None, Reason.REMOVED),
        (key.revoked_at is not None and key.revealed_at is not None, Reason.REVOKED),
        (key.revealed_at is None and key.claim_by <= at, Reason.LAPSED),
        (key.revoked_at is not None, Reason.REVOKED),
        (key.revealed_at is None, Reason.UNCLAIMED),
        (key.expires_at is not None and key.expires_at <= at, Reason.EXPIRED),
        (bot.suspended_at is not None, Reason.SUSPENDED),
    )
    # It works again by now: whatever held it back is over.
    return next((reason for applies, reason in tests if applies), Reason.SUSPENDED)


def explain(call: RefusedCall) -> Told:
    """The call decoded; a reason of a later version shows as the answer alone."""
    words = WORDS.get(call.reason)
    return words({**call.facts, "source": call.source}) if words else Told(call.answer, "")


def clock_of(nonce: str) -> str:
    """Which clock a nonce looks like; empty for a plain counter."""
    return CLOCKS.get(len(nonce), "")


def _nonce_used(facts: Mapping[str, str]) -> Told:
    nonce, high = facts.get("nonce", "?"), facts.get("high", "?")
    if nonce == high:
        return Told(f"Nonce {nonce} was used by the call before.", "Count up with every call, repeated ones too.")
    if facts.get("in_window"):
        return Told(
            f"Nonce {nonce} was used before, or comes so late that it can no longer be told.",
            "Count up with every call; a window lets calls overtake each other, never repeat.",
        )
    mine, theirs = clock_of(nonce), clock_of(high)
    what = f"Nonce {nonce} is lower than {high}, which this key has used"
    if len(nonce) < len(high):
        finer = f" ({theirs} instead of {mine})" if mine and theirs else ""
        return Told(
            f"{what}: this key was used by a client with a finer clock{finer}.",
            "Use one key for each client. A nonce is never reset, so this client needs a key of its own.",
        )
    return Told(
        f"{what}.",
        "Two programs share this key, its clock went back, or calls overtook each other: for that set a nonce window.",
    )


def _permission(facts: Mapping[str, str]) -> Told:
    return Told(
        f"{facts.get('method', 'The method')} needs {facts.get('needs', 'a permission')}, which the key does not have.",
        "Ask for the permission, or leave this call out.",
    )


def _arguments(facts: Mapping[str, str]) -> Told:
    name = facts.get("field", "")
    what = f"The parameter “{name}” is missing or cannot be read." if name else "A parameter is missing or malformed."
    return Told(what, "Compare the call with the description of its method.")


def _exchange(facts: Mapping[str, str]) -> Told:
    said = facts.get("said", "?")
    if said.startswith("EGeneral:Permission denied"):
        advice = "The key may do it, but no credential of the Account may at the exchange. Ask who manages access."
    else:
        advice = "Look the words up in the exchange's own description."
    return Told(f"The exchange refused it: {said}.", advice)


def _option(facts: Mapping[str, str]) -> Told:
    name = facts.get("field", "?")
    return Told(
        f"The option “{name}” is not offered here as it was sent. Nothing was done.",
        "Leave it out; the description of the bots' API names what is offered.",
    )


def _fixed(what: str, advice: str) -> Words:
    def told(facts: Mapping[str, str]) -> Told:
        known = {name: facts.get(name, "?") for name in ("source", "nonce", "level", "method")}
        return Told(what.format_map(known), advice)

    return told


WORDS: Final[Mapping[str, Words]] = {
    Reason.REVOKED: _fixed("The key is revoked.", NEVER_AGAIN),
    Reason.LAPSED: _fixed("Nobody revealed the key in time.", NEVER_AGAIN),
    Reason.UNCLAIMED: _fixed("The secret of the key has not been revealed yet.", "Whoever made it reveals it first."),
    Reason.EXPIRED: _fixed("The key has expired.", "Ask for a later expiry, or for a new key."),
    Reason.SUSPENDED: _fixed("The service user was suspended.", "Ask who manages access."),
    Reason.REMOVED: _fixed("The service user was removed.", "Ask who manages access."),
    Reason.ADDRESS: _fixed("{source} is not on the IP allow-list.", "Call from one that is, or ask to add it."),
    Reason.LOCKED_OUT: _fixed(
        "{source} failed too often in a row and is locked out.",
        "Stop for 15 minutes: each try starts them anew.",
    ),
    Reason.SIGNATURE: _fixed(
        "The signature does not fit the call.",
        "The secret is another key's, or path, nonce or body were altered after signing. It may also be a stranger.",
    ),
    Reason.NONCE_MISSING: _fixed(
        "The call carries no nonce that can be read.", "Send a whole number without sign, in the body."
    ),
    Reason.NONCE_AHEAD: _fixed(
        "Nonce {nonce} lies more than a day ahead, counted in nanoseconds.",
        "Look at the client's clock. The nonce was not taken.",
    ),
    Reason.NONCE_USED: _nonce_used,
    Reason.CALLS: _fixed(
        "The key called faster than its counter allows (level {level}).", "Slow down: the counter falls by itself."
    ),
    Reason.METHOD: _fixed("There is no method of this name.", "Look at the spelling: capital letters count."),
    Reason.PERMISSION: _permission,
    Reason.NOT_SERVED: _fixed("The portal does not serve this method.", "Leave this call out."),
    Reason.OPTION: _option,
    Reason.ARGUMENTS: _arguments,
    Reason.BODY: _fixed(
        "The body cannot be read, is too long, names a field twice, or the address carries a query.",
        "Send a form or JSON, everything in the body.",
    ),
    Reason.PLAIN_HTTP: _fixed("The call came without TLS.", "Use https://. Make a new key: this call was readable."),
    Reason.TOKEN_UNKNOWN: _fixed(
        "The token is none that the portal gave out.", "Ask GetWebSocketsToken for one, and send it as it came."
    ),
    Reason.TOKEN_EXPIRED: _fixed(
        "The token was shown more than 15 minutes after it was given out.",
        "Ask GetWebSocketsToken for another one before each socket. One that is in use does not end.",
    ),
    Reason.TOKEN_OF_OTHER: _fixed(
        "The token is another key's than the one that this socket began with.", "Open a socket for each key."
    ),
    Reason.SOCKETS: _fixed(
        "The key has as many sockets open as it may.",
        "Close those that nobody reads. One socket carries every channel.",
    ),
    Reason.STREAM_OFF: _fixed(
        "The WebSocket setting of the service user is off.", "Ask for it, or leave streams alone."
    ),
    Reason.EXCHANGE: _exchange,
    Reason.DENIED: lambda facts: Told(
        facts.get("said", "A policy lets nobody do this."),
        "Nobody was asked, and sending it again changes nothing. Ask who manages policies.",
    ),
    Reason.CAP: lambda facts: Told(
        facts.get("said", "It is more than the service user may withdraw."),
        "Send less, wait until a day has passed, or ask who manages access for a higher limit.",
    ),
    Reason.RULE: lambda facts: Told(facts.get("said", "A rule of the portal refused it."), ""),
}
