"""Orders placed and cancelled (reference §10)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn

from django.utils import timezone

from accounts.api_keys.refused_calls import Reason
from portal.api.call import Caller
from portal.api.protocol.asset_classes import ABOUT, ASSET_CLASS, CURRENCY, no_pairs
from portal.api.protocol.envelope import JSON, ApiError, Error
from portal.api.protocol.instants import Later, Moment
from portal.api.protocol.order_words import in_words
from portal.api.protocol.parameter_types import (
    CANCELLED_CLIENT_ID,
    CANCELLED_ORDER,
    CLIENT_ID,
    USERREF,
    Anything,
    Choice,
    Flag,
    Names,
    Size,
    Text,
)
from portal.api.protocol.parameters import NoParameters, absent, needed, optional
from portal.core.money import WIRE, WIRE_LENGTH
from portal.treasury import expired_holds
from portal.venues.types import PLACED, NewOrder, OrderKind, Side, TimeInForce

ORDER_TYPES: Final = (
    "market", "limit", "iceberg", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit", "trailing-stop",
    "trailing-stop-limit", "settle-position",
)  # fmt: skip
TIME_IN_FORCE: Final = Choice(("GTC", "IOC", "GTD", "FOK"))
SERVED_TYPES: Final = tuple(kind.value for kind in PLACED)
NUMBER: Final = re.compile(r"-?[0-9]{1,10}", re.ASCII)
ZERO: Final = re.compile(r"[+-]?(0+(\.0*)?|\.0+)", re.ASCII)
NO_LEVERAGE: Final = ("none", "0", "1")
RELATIVE: Final = re.compile(r"[+#-].*|.*%")
FLAGS: Final = ("post", "fcib", "fciq", "nompp", "viqc")
# Fees are always taken in the quote currency, so the first says nothing new, and the second nothing at all here.
HARMLESS_FLAGS: Final = frozenset({"post", "fciq", "nompp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOrder:
    pair: str = needed(Text(), "A pair under any of its names.")
    asset_class: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    side: str = needed(Choice(("buy", "sell")), "Which way.", name="type")
    ordertype: str = needed(Choice(ORDER_TYPES), "`market` or `limit`; the others are not offered.")
    volume: Decimal = needed(Size(), "How much of the pair's base asset.")
    price: str = optional(Text(longest=WIRE_LENGTH), "", "The limit; for limit orders only.")
    timeinforce: str | None = absent(TIME_IN_FORCE, "How long it stands; FOK is not offered.")
    camel_time: str | None = absent(TIME_IN_FORCE, "Another spelling of `timeinforce`.", name="timeInForce")
    expiretm: datetime | timedelta | None = optional(Later(), None, "When a GTD order ends.")
    oflags: tuple[str, ...] = optional(Names(words=FLAGS, may_be_none=True), (), "`post`; `fciq` is how it is anyway.")
    userref: int | None = absent(USERREF, "A number of yours, not unique.")
    cl_ord_id: str | None = absent(CLIENT_ID, "An id of yours, unique among your open orders.")
    deadline: datetime | None = absent(Moment(), "Refuse the order if it comes later than this.")
    validate: bool = optional(Flag(), default=False, text="Only look at what is written, funds aside.")
    stptype: str = optional(
        Choice(("cancel-newest", "cancel-oldest", "cancel-both")),
        "cancel-newest",
        "Says nothing here: orders trade against the venue's prices, never against each other.",
    )
    # Declared so that no order is placed without what its bot relies on.
    starttm: datetime | timedelta | None = optional(Later(), None, "Not offered but as 0.")
    leverage: str = optional(Text(longest=8), "none", "Not offered but as `none` or 1.")
    reduce_only: bool = optional(Flag(), default=False, text="Not offered but as false.")
    price2: str | None = absent(Text(longest=WIRE_LENGTH), "Not offered but as 0.")
    displayvol: str | None = absent(Text(longest=WIRE_LENGTH), "Not offered but as 0.")
    trigger: str | None = absent(Choice(("last", "index")), "Not offered.")
    close: bool = optional(Anything(), default=False, text="Not offered.")
    close_type: bool = optional(Anything(), default=False, text="Not offered.", name="close[ordertype]")
    close_price: bool = optional(Anything(), default=False, text="Not offered.", name="close[price]")
    close_price2: bool = optional(Anything(), default=False, text="Not offered.", name="close[price2]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    txid: str = optional(CANCELLED_ORDER, "", "The id of an order, or the `userref` of one or more.")
    cl_ord_id: str | None = absent(CANCELLED_CLIENT_ID, "The id that you gave the order.")


def add_order(caller: Caller, parameters: AddOrder) -> JSON:
    """Place an order, or with `validate` only look at it. Its trades are in `TradesHistory` at once.

    Raises: UnknownPair, and what the venue refuses an order for; ApiError for what is not offered.
    """
    _refuse_what_is_not_offered(parameters)
    no_pairs(parameters.asset_class, parameters.pair)
    expired_holds.release_due(caller.account_id)
    row = caller.venue.place_order(
        caller.account_id,
        NewOrder(
            pair=parameters.pair,
            side=Side(parameters.side),
            kind=OrderKind(parameters.ordertype),
            volume=parameters.volume,
            # A market order has no limit; what a client sends with it all the same says nothing.
            price=_price(parameters.price) if parameters.ordertype == OrderKind.LIMIT else None,
            time_in_force=_time_in_force(parameters),
            expires_at=_ends(parameters.expiretm),
            is_post_only="post" in parameters.oflags,
            userref=parameters.userref,
            cl_ord_id=parameters.cl_ord_id,
            deadline=parameters.deadline,
            only_validate=parameters.validate,
        ),
    )
    placed: dict[str, JSON] = {} if parameters.validate else {"txid": [row.id]}
    return {"descr": {"order": in_words(row)}, **placed}


def cancel_order(caller: Caller, parameters: CancelOrder) -> JSON:
    """End an open order, or all open ones of a `userref`. Raises: UnknownOrder; ApiError if none or two are named."""
    txid, cl_ord_id = parameters.txid, parameters.cl_ord_id
    if bool(txid) is bool(cl_ord_id):
        raise ApiError(Error.INVALID_ARGUMENTS)
    if cl_ord_id:
        count = caller.venue.cancel_orders(caller.account_id, cl_ord_id=cl_ord_id)
    elif NUMBER.fullmatch(txid):
        count = caller.venue.cancel_orders(caller.account_id, userref=_userref(txid))
    else:
        count = caller.venue.cancel_orders(caller.account_id, order_id=txid)
    return {"count": count}


def cancel_all(caller: Caller, parameters: NoParameters) -> JSON:
    """End every open order of the Account."""
    return {"count": caller.venue.cancel_all_orders(caller.account_id)}


def _refuse_what_is_not_offered(parameters: AddOrder) -> None:
    """No order is ever placed without something that its bot asked for.

    Raises: ApiError that names the option to the people behind the bot. The bot hears a string that is for good:
    those for a service that is down make it ask again for ever.
    """
    for option, is_asked in _not_offered(parameters):
        if is_asked:
            raise ApiError(Error.INVALID_ARGUMENTS, reason=Reason.OPTION, field=option)


def _not_offered(parameters: AddOrder) -> Iterator[tuple[str, bool]]:
    """Each option that is not offered, with the value that it may not have, and whether it is asked for."""
    kind, flags = parameters.ordertype, sorted({*parameters.oflags} - HARMLESS_FLAGS)
    yield f"ordertype={kind}", kind not in SERVED_TYPES
    yield "timeinforce=FOK", "FOK" in (parameters.timeinforce, parameters.camel_time)
    yield "leverage", parameters.leverage not in NO_LEVERAGE
    yield "reduce_only", parameters.reduce_only
    yield "starttm", parameters.starttm is not None
    yield f"oflags={','.join(flags)}", bool(flags)
    yield "price2", not _is_nothing(parameters.price2)
    yield "displayvol", not _is_nothing(parameters.displayvol)
    yield "trigger", parameters.trigger is not None
    yield "close", parameters.close
    yield "close[ordertype]", parameters.close_type
    yield "close[price]", parameters.close_price
    yield "close[price2]", parameters.close_price2
    yield "price (relative)", RELATIVE.fullmatch(parameters.price) is not None


def _is_nothing(text: str | None) -> bool:
    return text is None or ZERO.fullmatch(text) is not None


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    return Decimal(text) if WIRE.fullmatch(text) else _no_price()


def _userref(text: str) -> int:
    number = int(text)
    if not USERREF.lowest <= number <= USERREF.highest:
        raise ApiError(Error.INVALID_ORDER, field="txid")
    return number


def _no_price() -> NoReturn:
    raise ApiError(Error.INVALID_PRICE)


def _time_in_force(parameters: AddOrder) -> TimeInForce:
    """What the call says. One that names an end is good until then: there are clients that say GTC with every order."""
    one, other = parameters.timeinforce, parameters.camel_time
    if one and other and one != other:
        raise ApiError(Error.INVALID_ARGUMENTS, field="timeInForce")
    said = TimeInForce(one or other or TimeInForce.GTC)
    return TimeInForce.GTD if said is TimeInForce.GTC and parameters.expiretm is not None else said


def _ends(at: datetime | timedelta | None) -> datetime | None:
    return timezone.now() + at if isinstance(at, timedelta) else at
