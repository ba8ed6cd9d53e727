"""Orders placed and cancelled (reference §10)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn

from django.utils import timezone

from accounts.refused import Reason
from portal.api.caller import Caller
from portal.api.classes import ABOUT, ASSET_CLASS, CURRENCY, no_pairs
from portal.api.envelope import JSON, ApiError, Error
from portal.api.kinds import CANCELLED_CLIENT_ID, CANCELLED_ORDER, CLIENT_ID, USERREF, Anything, Choice, Flag, Later, Moment, Names, Size, Text
from portal.api.parameters import NoParameters, absent, needed, optional
from portal.api.wording import in_words
from portal.core.money import WIRE, WIRE_LENGTH
from portal.venues.types import NewOrder, OrderKind, Side, TimeInForce

ORDER_TYPES: Final = (
    "market", "limit", "iceberg", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit", "trailing-stop",
    "trailing-stop-limit", "settle-position",
)  # fmt: skip
SERVED_TYPES: Final = tuple(kind.value for kind in OrderKind)
NUMBER: Final = re.compile(r"-?[0-9]{1,10}", re.ASCII)
RELATIVE: Final = re.compile(r"[+#-].*|.*%")
FLAGS: Final = ("post", "fcib", "fciq", "nompp", "viqc")
# Fees are always taken in the quote currency, so the first says nothing new, and the second nothing at all here.
HARMLESS_FLAGS: Final = frozenset({"post", "fciq", "nompp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOrder:
    pair: str = needed(Text(), "A pair under any of its names.")
    asset_class: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    side: str = needed(Choice(("buy", "sell")), "Which way.", name="type")
    ordertype: str = needed(Choice(ORDER_TYPES), "`market` or `limit`; the others are not served.")
    volume: Decimal = needed(Size(), "How much of the pair's base asset.")
    price: str = optional(Text(longest=WIRE_LENGTH), "", "The limit; for limit orders only.")
    timeinforce: str | None = absent(Choice(("GTC", "IOC", "GTD", "FOK")), "How long it stands; FOK is not served.")
    expiretm: datetime | timedelta | None = optional(Later(), None, "When a GTD order ends.")
    oflags: tuple[str, ...] = optional(Names(words=FLAGS), (), "`post`; `fciq` is how it is anyway.")
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
    starttm: datetime | timedelta | None = optional(Later(), None, "Not served but as 0.")
    leverage: str = optional(Text(longest=8), "none", "Not served but as `none`.")
    reduce_only: bool = optional(Flag(), default=False, text="Not served but as false.")
    price2: str | None = absent(Text(longest=WIRE_LENGTH), "Not served.")
    displayvol: str | None = absent(Text(longest=WIRE_LENGTH), "Not served.")
    trigger: str | None = absent(Choice(("last", "index")), "Not served.")
    close: bool = optional(Anything(), default=False, text="Not served.")
    close_type: bool = optional(Anything(), default=False, text="Not served.", name="close[ordertype]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    txid: str = optional(CANCELLED_ORDER, "", "The id of an order, or the `userref` of one or more.")
    cl_ord_id: str | None = absent(CANCELLED_CLIENT_ID, "The id that you gave the order.")


def add_order(caller: Caller, parameters: AddOrder) -> JSON:
    """Place an order, or with `validate` only look at it. Its trades are in `TradesHistory` at once.

    Raises: UnknownPair, and what the venue refuses an order for; ApiError for what is not served.
    """
    _refuse_what_is_not_served(parameters)
    no_pairs(parameters.asset_class, parameters.pair)
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


def _refuse_what_is_not_served(parameters: AddOrder) -> None:
    if (
        parameters.ordertype not in SERVED_TYPES
        or parameters.timeinforce == "FOK"
        or parameters.leverage not in ("none", "0")
        or parameters.reduce_only
        or parameters.starttm is not None
        or not HARMLESS_FLAGS.issuperset(parameters.oflags)
        or parameters.price2 not in (None, "0")
        or parameters.displayvol
        or parameters.trigger
        or parameters.close_type
        or parameters.close
        or RELATIVE.fullmatch(parameters.price)
    ):
        raise ApiError(Error.UNAVAILABLE, reason=Reason.NOT_SERVED)


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
    """What the call says; one that names only an end is good until then."""
    if parameters.timeinforce is None:
        return TimeInForce.GTD if parameters.expiretm is not None else TimeInForce.GTC
    return TimeInForce(parameters.timeinforce)


def _ends(at: datetime | timedelta | None) -> datetime | None:
    return timezone.now() + at if isinstance(at, timedelta) else at
