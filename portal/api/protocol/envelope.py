"""The one shape of every answer, and the only words an error may have (reference §1, §4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason
from accounts.models.key_use import ANSWER_LENGTH
from portal.api.call import Reply
from portal.core.errors import Conflict, Denied, DomainError, Insufficient, Invalid, Refused, TooMany, Unavailable
from portal.treasury.errors import AddressMismatch, FeeTooHigh, OverCap, UnknownAddress
from portal.venues import errors as venue

# How much is kept for people of what an exchange says.
SAID_LENGTH: Final = 300
JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | msgspec.Raw | None"


class Error(StrEnum):
    """The protocol's strings. Clients compare them whole, so nothing is ever added to one."""

    BAD_REQUEST = "EAPI:Bad request"
    INVALID_KEY = "EAPI:Invalid key"
    INVALID_SIGNATURE = "EAPI:Invalid signature"
    INVALID_NONCE = "EAPI:Invalid nonce"
    INVALID_TOKEN = "EAPI:Invalid token"  # noqa: S105
    RATE_LIMIT = "EAPI:Rate limit exceeded"
    LOCKED_OUT = "EGeneral:Temporary lockout"
    TOO_MANY_REQUESTS = "EGeneral:Too many requests"
    UNKNOWN_METHOD = "EGeneral:Unknown method"
    PERMISSION_DENIED = "EGeneral:Permission denied"
    INVALID_ARGUMENTS = "EGeneral:Invalid arguments"
    INTERNAL = "EGeneral:Internal error"
    UNAVAILABLE = "EService:Unavailable"
    TIMEOUT = "EService:Timeout"
    BUSY = "EService:Busy"
    UNKNOWN_ASSET = "EQuery:Unknown asset"
    UNKNOWN_PAIR = "EQuery:Unknown asset pair"
    UNKNOWN_ORDER = "EOrder:Unknown order"
    INVALID_ORDER = "EOrder:Invalid order"
    INVALID_PRICE = "EOrder:Invalid price"
    TICK_SIZE = "EOrder:Tick size check failed"
    ORDER_FUNDS = "EOrder:Insufficient funds"
    ORDER_MINIMUM = "EOrder:Order minimum not met"
    COST_MINIMUM = "EOrder:Cost minimum not met"
    ORDERS_LIMIT = "EOrder:Orders limit exceeded"
    ORDER_RATE_LIMIT = "EOrder:Rate limit exceeded"
    DEADLINE = "EService:Deadline elapsed"
    FUNDING_ASSET = "EFunding:Unknown asset"
    FUNDING_METHOD = "EFunding:No funding method"
    WITHDRAW_KEY = "EFunding:Unknown withdraw key"
    INVALID_AMOUNT = "EFunding:Invalid amount"
    MAX_FEE = "EFunding:Max fee exceeded"
    UNKNOWN_REFERENCE = "EFunding:Unknown reference id"
    INVALID_REFERENCE = "EFunding:Invalid reference id"
    TOO_MANY_ADDRESSES = "EFunding:Too many addresses"
    STRATEGY = "EGeneral:Invalid arguments:Invalid strategy ID"
    EARN_BELOW_MINIMUM = "EEarnings:Below min:(De)allocation operation amount less than minimum"
    EARN_ABOVE_MAXIMUM = "EEarnings:Above max:The allocation exceeds user limit for the strategy"
    EARN_FUNDS = "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"
    EARN_BUSY = "EEarnings:Busy:Another (de)allocation for the same strategy is in progress"


class ApiError(Exception):
    """The call is answered with this one error. `credential` is that of the key it named, if there is such a key.

    `reason` and `facts` are for the people behind the bot (accounts.api_keys.refused_calls); the bot hears nothing of
    them.
    """

    def __init__(
        self,
        error: Error,
        credential: Credential | None = None,
        *,
        reason: Reason = Reason.ARGUMENTS,
        **facts: str,
    ) -> None:
        super().__init__(error.value)
        self.error = error
        self.credential = credential
        self.reason = reason
        self.facts = facts

    @property
    def answer(self) -> str:
        """The string that the bot is told."""
        return self.error.value

    @property
    def reply(self) -> Reply:
        """The envelope that the bot is sent."""
        return failure(self.error)


class ExchangeError(ApiError):
    """An exchange has refused a call that was sent on: its answer goes back as it came, whatever its words are."""

    def __init__(self, errors: tuple[str, ...], body: bytes) -> None:
        said = ", ".join(errors)
        super().__init__(Error.UNAVAILABLE, reason=Reason.EXCHANGE, said=_printable(said)[:SAID_LENGTH])
        self.errors = errors
        self.body = body

    @property
    def answer(self) -> str:
        """The first string without its details, so that calls are counted by what it means."""
        return _printable(":".join(self.errors[0].split(":")[:2]))[:ANSWER_LENGTH]

    @property
    def reply(self) -> Reply:
        """To the byte."""
        return Reply(self.body, error=self.errors[0])


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


REASONS: Final = ((Denied, Reason.DENIED), (OverCap, Reason.CAP))
# The first kind that fits counts, so a narrow kind stands before the wide one it belongs to.
KINDS: Final[tuple[tuple[type[DomainError], Error], ...]] = (
    (venue.UnknownAsset, Error.UNKNOWN_ASSET),
    (venue.UnknownPair, Error.UNKNOWN_PAIR),
    (venue.UnknownMethod, Error.FUNDING_METHOD),
    (venue.UnknownReference, Error.UNKNOWN_REFERENCE),
    (venue.FeeRose, Error.MAX_FEE),
    (venue.TooManyAddresses, Error.TOO_MANY_ADDRESSES),
    (venue.UnknownOrder, Error.UNKNOWN_ORDER),
    (venue.OrderFunds, Error.ORDER_FUNDS),
    (venue.VolumeTooSmall, Error.ORDER_MINIMUM),
    (venue.CostTooSmall, Error.COST_MINIMUM),
    (venue.TickSize, Error.TICK_SIZE),
    (venue.InvalidPrice, Error.INVALID_PRICE),
    (venue.TooManyOrders, Error.ORDERS_LIMIT),
    (venue.TooFast, Error.ORDER_RATE_LIMIT),
    (venue.DeadlineElapsed, Error.DEADLINE),
    (venue.OutcomeUnknown, Error.TIMEOUT),
    (venue.OverShare, Error.RATE_LIMIT),
    (venue.NotServed, Error.UNKNOWN_METHOD),
    (venue.ExportNotReady, Error.BUSY),
    (venue.ClientIdTaken, Error.INVALID_ARGUMENTS),
    (venue.UnknownStrategy, Error.STRATEGY),
    (venue.EarnBusy, Error.EARN_BUSY),
    (venue.EarnBelowMinimum, Error.EARN_BELOW_MINIMUM),
    (venue.EarnAboveMaximum, Error.EARN_ABOVE_MAXIMUM),
    (venue.EarnFunds, Error.EARN_FUNDS),
    (UnknownAddress, Error.WITHDRAW_KEY),
    (AddressMismatch, Error.INVALID_ARGUMENTS),
    (FeeTooHigh, Error.MAX_FEE),
    (Insufficient, Error.INVALID_AMOUNT),
    # Policy is looked at with permission, and answered alike (reference §3, step 9).
    (Denied, Error.PERMISSION_DENIED),
    (OverCap, Error.PERMISSION_DENIED),
    (Refused, Error.PERMISSION_DENIED),
    (Unavailable, Error.UNAVAILABLE),
    (TooMany, Error.TOO_MANY_REQUESTS),
    (Conflict, Error.BUSY),
    (DomainError, Error.INVALID_ARGUMENTS),
)


def reason_for(error: DomainError) -> Reason:
    """What people are told of why it was refused."""
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), Reason.RULE)


def error_for(error: DomainError, *, funding: bool = False) -> Error:
    """The protocol's string for what a rule of the domain says. `funding`: asked by a funding method."""
    if funding and isinstance(error, venue.UnknownAsset):
        return Error.FUNDING_ASSET
    if funding and isinstance(error, Invalid) and error.field == "amount":
        return Error.INVALID_AMOUNT
    return next(string for kind, string in KINDS if isinstance(error, kind))


@dataclass(frozen=True, slots=True)
class File:
    """A result that is bytes already: a file, under a name of ours, or what an exchange has answered, under none."""

    name: str
    media_type: str
    content: bytes


Result: TypeAlias = "JSON | File"


def success(result: Result) -> Reply:
    """An answer without an error: JSON, or the bytes of a file as they are."""
    if isinstance(result, File):
        return Reply(result.content, result.media_type, result.name)
    return Reply(msgspec.json.encode({"error": [], "result": result}))


def failure(error: Error) -> Reply:
    """No `result` beside an error: the clients would read one as success."""
    return Reply(msgspec.json.encode({"error": [error.value]}), error=error.value)
