"""Trying a credential before it counts: what the exchange says of it, and whether it serves for its purpose."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.models.service_user import Permission
from portal.core.errors import Invalid
from portal.venues.kraken.calling import ask
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.credentials import key_info
from portal.venues.kraken.credentials.finding import Usable, keyed
from portal.venues.kraken.credentials.key_info import KeyInfo
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import Purpose
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent

# Of one call: somebody waits for the page.
SECONDS: Final = 10.0
# Room for all calls to come.
ROOM: Final = 2**53
# What proves that a credential serves: nothing is done by it.
PROOF: Final = {Purpose.WITHDRAW: "WithdrawMethods", Purpose.REST: "Balance"}


@dataclass(frozen=True, slots=True)
class Typed:
    """A credential as it was typed. `fields` begins the names of the form's fields, where the form has two of them."""

    purpose: Purpose
    label: str
    public: str
    secret: str = field(repr=False)
    fields: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One that serves, by the exchange's word; `nonce` is the last that was sent."""

    typed: Typed
    info: KeyInfo
    nonce: int


class _Nonces:
    """Nonces of a credential that has no row yet."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> int:
        self.last = max(self.last + 1, time.time_ns())
        return self.last


def try_all(exchange: Exchange, typed: Sequence[Typed], *, owner: str = "") -> tuple[Tried, ...]:
    """Try each; all have to be of one account there, which is `owner` where that is known.

    Raises: Invalid beside the field that is wrong, saying what to do; Unavailable where the exchange says nothing.
    """
    found: list[Tried] = []
    for each in typed:
        tried = try_one(exchange, each)
        known = owner or next((other.info.owner for other in found if other.info.owner), "")
        if known and tried.info.owner and tried.info.owner != known:
            raise Invalid(refusals.OTHER_ACCOUNT, field=f"{each.fields}public")
        found.append(tried)
    return tuple(found)


def try_one(exchange: Exchange, typed: Typed) -> Tried:
    """What the exchange says of the credential, after a call that needs what it is for.

    Raises: as `try_all`.
    """
    try:
        mac = keyed(typed.secret)
    except ValueError as error:
        raise Invalid(refusals.NO_PRIVATE_HALF, field=f"{typed.fields}secret") from error
    nonces = _Nonces()
    credential = Usable(url=exchange.url, public=typed.public, keyed=mac, next_nonce=nonces, purpose=typed.purpose)
    info = key_info.read(_asked(credential, typed, key_info.METHOD))
    _refuse_unfit(info, typed)
    nonces.last = max(nonces.last, info.nonce)
    if _proves(info, typed):
        method = PROOF[typed.purpose]
        result = _asked(credential, typed, method)
        shape = list if typed.purpose == Purpose.WITHDRAW else Mapping
        if not isinstance(result, shape):
            raise AnswerLost(key_info.OTHER_SHAPE)
    return Tried(typed, info, nonces.last)


def _asked(credential: Usable, typed: Typed, method: str) -> Any:  # noqa: ANN401
    """The result of one call. Raises: Invalid in words about what the exchange refused; Unavailable."""
    try:
        answer: Answer = ask(credential, method, seconds=SECONDS)
        if not answer.errors:
            return answer.decoded()
    except NotSent as error:
        raise NotSent(refusals.NO_REACH) from error
    except AnswerLost as error:
        raise AnswerLost(refusals.NO_SENSE) from error
    raise refusals.of(answer.errors, method, typed.purpose, fields=typed.fields)


def _refuse_unfit(info: KeyInfo, typed: Typed) -> None:
    said = _unfit(info, typed.purpose)
    if said:
        raise Invalid(said, field=f"{typed.fields}public")


def _unfit(info: KeyInfo, purpose: Purpose) -> str:
    """Why what the exchange says of it rules it out; empty if nothing does."""
    if info.nonce >= key_info.HIGHEST - ROOM:
        return refusals.NONCE_TOO_HIGH
    if purpose == Purpose.WITHDRAW and Permission.WITHDRAW not in info.permissions:
        return refusals.MAY_NOT_WITHDRAW
    if purpose == Purpose.REST and not set(info.permissions) - {Permission.WITHDRAW.value}:
        return refusals.MAY_NOTHING
    return ""


def _proves(info: KeyInfo, typed: Typed) -> bool:
    """Whether there is a call that this credential has to be able to make: one for orders alone reads no balance."""
    return typed.purpose == Purpose.WITHDRAW or Permission.QUERY_FUNDS in info.permissions
