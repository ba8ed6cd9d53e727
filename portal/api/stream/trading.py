"""Orders by socket: every message becomes the call that REST makes, and is answered in frames (reference §13)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason
from portal.api import gateway, meters, permissions
from portal.api.authentication import ATTEMPTS, is_allowed
from portal.api.call import Caller
from portal.api.methods import PrivateMethod
from portal.api.protocol import request_body
from portal.api.protocol.envelope import JSON, ApiError, Error, Result
from portal.api.protocol.parameter_types import CANCELLED_CLIENT_ID, CANCELLED_ORDER, USERREF
from portal.api.protocol.request_body import Fields, Value
from portal.api.stream import order_words
from portal.core.observing.meters import Counter
from portal.venues.types import OpenQuery

# The messages that trade, and the method of REST that each of them is: its permissions, its cost, its answer.
METHODS: Final[Mapping[str, str]] = {
    "add_order": "AddOrder",
    "amend_order": "AmendOrder",
    "edit_order": "EditOrder",
    "batch_add": "AddOrderBatch",
    "batch_cancel": "CancelOrderBatch",
    "cancel_order": "CancelOrder",
    "cancel_all": "CancelAll",
    "cancel_all_orders_after": "CancelAllOrdersAfter",
}
# What one message may name; each is looked up and cancelled by itself.
MOST_CANCELLED: Final = 50
NAMES: Final = ("order_id", "cl_ord_id", "order_userref")
SOCKET: Final = "GetWebSocketsToken"
REQUESTS: Final = Counter(
    "countersign_socket_requests_total",
    "What sockets asked to have done with orders, by message and error; `none` went well.",
    {"method": tuple(METHODS), "error": meters.ERRORS},
)

Row: TypeAlias = "dict[str, JSON]"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one frame says: a result, or the protocol's string that says why there is none."""

    result: Mapping[str, JSON] | None = None
    error: str = ""

    @property
    def success(self) -> bool:
        """Whether it was done."""
        return not self.error


@dataclass(frozen=True, slots=True)
class _Message:
    """One message on its way: the key as it is now, and where it came from."""

    credential: Credential
    method: str
    source: str

    def call(self, fields: dict[str, Value] | Fields) -> Result:
        """What REST would answer to the same. Raises: ApiError."""
        given = fields if isinstance(fields, Fields) else Fields(fields)
        try:
            return gateway.carry_out(self.credential, METHODS[self.method], given, self.source)
        except ApiError as error:
            order_words.in_words_of_socket(error)
            raise

    def answer(self, work: Callable[[], Row]) -> Answer:
        """What the work brings, or what it is refused for, which is written down."""
        try:
            return Answer(work())
        except Exception as error:  # noqa: BLE001 - every message is answered; it is told apart and written down
            return _no(error, self.credential, self.method, self.source)


def carry(credential: Credential, method: str, params: Mapping[str, object], source: str) -> list[Answer]:
    """Carry out one message of a key, and give its answers in order: one, or one for each order it cancels.

    `params` is decoded JSON with whole numbers and Decimals, the token among them or not. `credential` is what the
    connection remembers; the key is looked at as it is now, as before every call (DESIGN K4). Waits for the database.
    Never raises.
    """
    try:
        if method not in METHODS:
            raise ApiError(Error.UNKNOWN_METHOD, reason=Reason.METHOD)
        given = _read(params)
        message = _Message(_counted(credential, method, source), method, source)
        # Before anything is looked up for it.
        served = gateway.served_to(message.credential, METHODS[method])
        if not isinstance(served, PrivateMethod):
            raise ApiError(Error.UNKNOWN_METHOD, message.credential, reason=Reason.NOT_SERVED)
        answers = SERVED[method](message, given)
    except Exception as error:  # noqa: BLE001 - every message is answered; it is told apart and written down
        answers = [_no(error, credential, method, source)]
    for each in answers:
        REQUESTS.add(method, each.error or meters.NONE)
    return answers


def _read(params: Mapping[str, object]) -> Fields:
    try:
        return request_body.of_message(params)
    except ApiError as error:
        error.reason = Reason.BODY
        raise


def _counted(credential: Credential, method: str, source: str) -> Credential:
    """The key as it is now, with this message counted for it. Raises: ApiError."""
    now, cost = timezone.now(), permissions.COSTS.get(METHODS[method], 1.0)
    current: Credential | None = credential
    for _ in range(ATTEMPTS):
        if current is None:
            raise ApiError(Error.INVALID_KEY, credential, reason=Reason.NO_KEY)
        wrong = _judge(current, source)
        outcome = wrong or lifecycle.count(current, cost=cost, source=source, now=now, method=method)
        if isinstance(outcome, lifecycle.Spent):
            if outcome.is_over:
                raise ApiError(Error.RATE_LIMIT, current, reason=Reason.CALLS, level=f"{outcome.level:.0f}")
            return current
        if wrong is not None and lifecycle.is_current(current):
            raise wrong
        if outcome is lifecycle.Refusal.KEY:
            raise ApiError(Error.INVALID_KEY, current, reason=Reason.EXPIRED)
        current = lifecycle.find(credential.public)
    raise ApiError(Error.UNAVAILABLE, credential, reason=Reason.NOT_SERVED)


def _judge(credential: Credential, source: str) -> ApiError | None:
    """What of the key can be said without its row; the caller makes sure that it is still true."""
    if not is_allowed(credential, source):
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.ADDRESS)
    if not permissions.opens(permissions.held_by(credential), SOCKET):
        needs = permissions.in_words(SOCKET)
        return ApiError(Error.PERMISSION_DENIED, credential, reason=Reason.PERMISSION, method=SOCKET, needs=needs)
    return None


def _no(error: Exception, credential: Credential, method: str, source: str) -> Answer:
    if not isinstance(error, ApiError):
        return Answer(error=gateway.note_failure(error, method).value)
    error.credential = error.credential or credential
    if "method" in error.facts:
        error.facts["method"] = method
    known = method if method in METHODS else ""
    gateway.note_refusal(error, key=credential.public, method=method, known=known, source=source)
    return Answer(error=error.error.value)


def _add(message: _Message, given: Fields) -> list[Answer]:
    return [message.answer(lambda: _placed(message, given))]


def _placed(message: _Message, given: Fields) -> Row:
    """The id of the order, empty if it was only validated, and the bot's own name for it."""
    result = message.call(order_words.new_order(given))
    txids = result.get("txid") if isinstance(result, Mapping) else None
    row: Row = {"order_id": txids[0] if isinstance(txids, list) else ""}
    cl_ord_id, userref = given.value("cl_ord_id"), given.value("order_userref")
    if cl_ord_id is not None:
        row["cl_ord_id"] = str(cl_ord_id)
    if userref is not None:
        row["order_userref"] = int(str(userref))
    return row


def _cancel_all(message: _Message, given: Fields) -> list[Answer]:
    order_words.only(given)
    return [message.answer(lambda: _count(message.call({})))]


def _count(result: Result) -> Row:
    return {"count": result["count"]} if isinstance(result, Mapping) else {}


def _cancel(message: _Message, given: Fields) -> list[Answer]:
    order_words.only(given, *NAMES)
    said = [name for name in NAMES if given.value(name) is not None]
    if len(said) != 1:
        raise ApiError(Error.INVALID_ARGUMENTS, field=" or ".join(NAMES))
    (kind,) = said
    names = _names(kind, given.value(kind))
    return [answer for name in names for answer in CANCELLED[kind](message, name)]


def _names(kind: str, value: Value) -> list[str]:
    """What is to be cancelled. A text that stands alone is not taken for a list. Raises: ApiError."""
    names = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(names) != len(value) or not 0 < len(names) <= MOST_CANCELLED:
        raise ApiError(Error.INVALID_ARGUMENTS, field=kind)
    return names


def _cancel_by_id(message: _Message, name: str) -> list[Answer]:
    def work() -> Row:
        if "-" not in name.lstrip("-"):
            # REST takes a number for the `userref` of any number of orders.
            raise ApiError(CANCELLED_ORDER.error, field="order_id")
        message.call({"txid": name})
        return {"order_id": name}

    return [message.answer(work)]


def _cancel_by_client_id(message: _Message, name: str) -> list[Answer]:
    def work() -> Row:
        cl_ord_id = CANCELLED_CLIENT_ID.read(name)
        ids = _open(message, OpenQuery(cl_ord_id=cl_ord_id))
        message.call({"txid": ids[0]} if ids else {"cl_ord_id": cl_ord_id})
        return {**({"order_id": ids[0]} if ids else {}), "cl_ord_id": cl_ord_id}

    return [message.answer(work)]


def _cancel_by_userref(message: _Message, name: str) -> list[Answer]:
    """Each order that has the number by itself: what was filled meanwhile is not said to be cancelled."""
    try:
        ids = _open(message, OpenQuery(userref=_userref(name)))
    except Exception as error:  # noqa: BLE001 - as in `answer`, for all orders of the number at once
        return [_no(error, message.credential, message.method, message.source)]
    if not ids:
        return [message.answer(lambda: _unknown(message, name))]
    return [answer for txid in ids for answer in _cancel_by_id(message, txid)]


def _userref(text: str) -> int:
    """Raises: ApiError, with the string that REST has for a name that no order can have."""
    try:
        return USERREF.read(text)
    except ApiError:
        raise ApiError(CANCELLED_ORDER.error, field="order_userref") from None


def _unknown(message: _Message, userref: str) -> Row:
    """There was none a moment ago; what REST says of that is said here too."""
    message.call({"txid": userref})
    return {"order_userref": int(userref)}


def _open(message: _Message, query: OpenQuery) -> list[str]:
    """The ids of open orders that the key may cancel, oldest first: all of the Account, whatever its window shows."""
    caller = Caller(message.credential)
    return [row.id for row in reversed(caller.venue.open_orders(caller.account_id, query))]


SERVED: Final[Mapping[str, Callable[[_Message, Fields], list[Answer]]]] = {
    "add_order": _add,
    "cancel_order": _cancel,
    "cancel_all": _cancel_all,
}
CANCELLED: Final[Mapping[str, Callable[[_Message, str], list[Answer]]]] = {
    "order_id": _cancel_by_id,
    "cl_ord_id": _cancel_by_client_id,
    "order_userref": _cancel_by_userref,
}
