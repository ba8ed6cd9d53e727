"""What a message about orders says, in the words of the calls that REST makes of it (reference §13)."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NoReturn

from accounts.api_keys.refused_calls import Reason
from portal.api.protocol.envelope import ApiError, Error
from portal.api.protocol.instants import EPOCH, Moment
from portal.api.protocol.parameter_types import Choice, Flag, invalid
from portal.api.protocol.request_body import Fields, Value

# The connection has read it by then.
OF_EVERY_MESSAGE: Final = frozenset({"token"})
MICROSECOND: Final = timedelta(microseconds=1)
BEGINNING: Final = re.compile(r"\w+", re.ASCII)

Said = tuple[str, Value]


def new_order(given: Fields) -> Fields:
    """`add_order` as the fields of AddOrder.

    What is not known here is not offered, and what is not offered is refused: no order is ever placed without
    something that its bot asked for.

    Raises: ApiError for that, and for what is malformed beyond what AddOrder itself will look at.
    """
    fields: dict[str, Value] = {}
    flags: list[Value] = []
    for name in sorted(given.names - OF_EVERY_MESSAGE):
        value = given.value(name)
        if value is None:
            continue
        rest, said = _read(name, value)
        if rest == FLAGS:
            flags += [said] if said else []
        elif rest:
            fields[rest] = said
    return Fields({**fields, FLAGS: flags} if flags else fields)


def in_words_of_socket(error: ApiError) -> None:
    """Let a refusal by a method of REST name to the people behind the bot what the bot itself has named."""
    field = error.facts.get("field", "")
    name = BEGINNING.match(field)
    if name and name[0] in OF_REST:
        error.facts["field"] = OF_REST[name[0]] + field[name.end() :]


def only(given: Fields, *names: str) -> None:
    """Raises: ApiError if the message says anything else: to cancel less or more than was meant is not a way out."""
    for name in sorted(given.names - OF_EVERY_MESSAGE - {*names}):
        if given.value(name) is not None:
            not_offered(name)


def not_offered(name: str) -> NoReturn:
    """Raises: ApiError that names the option to the people behind the bot."""
    raise ApiError(Error.INVALID_ARGUMENTS, reason=Reason.OPTION, field=name)


def _read(name: str, value: Value) -> Said:
    """What REST calls it, and its value there; no name if it says nothing. Raises: ApiError."""
    if name in SAME:
        return SAME[name], value
    if name not in OTHERS:
        not_offered(name)
    try:
        return OTHERS[name](value)
    except ApiError as error:
        error.facts.setdefault("field", name)
        raise


def _time_in_force(value: Value) -> Said:
    return "timeinforce", value.upper() if isinstance(value, str) else value


def _expire_time(value: Value) -> Said:
    """REST counts Unix seconds, and takes zero for no end at all."""
    microseconds = (Moment().read(value) - EPOCH) // MICROSECOND
    if microseconds <= 0:
        invalid()
    return "expiretm", f"{microseconds // 10**6}.{microseconds % 10**6:06d}"


def _stp_type(value: Value) -> Said:
    return "stptype", STP_TYPES[Choice(tuple(STP_TYPES)).read(value)]


def _post_only(value: Value) -> Said:
    return FLAGS, "post" if Flag().read(value) else ""


def _no_mpp(value: Value) -> Said:
    return FLAGS, "nompp" if Flag().read(value) else ""


def _fee_preference(value: Value) -> Said:
    if Choice(("base", "quote")).read(value) == "base":
        not_offered("fee_preference=base")
    return FLAGS, "fciq"


def _limit_price_type(value: Value) -> Said:
    kind = Choice(("static", "pct", "quote")).read(value)
    return ("", None) if kind == "static" else not_offered(f"limit_price_type={kind}")


def _margin(value: Value) -> Said:
    return not_offered("margin") if Flag().read(value) else ("", None)


def _triggers(value: Value) -> Said:
    return ("", None) if value == {} else not_offered("triggers")


def _conditional(value: Value) -> Said:
    return ("", None) if value == {} else not_offered("conditional")


FLAGS: Final = "oflags"
STP_TYPES: Final = {
    "cancel_newest": "cancel-newest",
    "cancel_oldest": "cancel-oldest",
    "cancel_both": "cancel-both",
}
# What has another name there and the same values.
SAME: Final[Mapping[str, str]] = {
    "order_type": "ordertype",
    "side": "type",
    "symbol": "pair",
    "order_qty": "volume",
    "limit_price": "price",
    "cl_ord_id": "cl_ord_id",
    "order_userref": "userref",
    "deadline": "deadline",
    "validate": "validate",
    # Not offered but as false and 0, which AddOrder says.
    "reduce_only": "reduce_only",
    "display_qty": "displayvol",
}
OTHERS: Final[Mapping[str, Callable[[Value], Said]]] = {
    "time_in_force": _time_in_force,
    "expire_time": _expire_time,
    "stp_type": _stp_type,
    "post_only": _post_only,
    "no_mpp": _no_mpp,
    "fee_preference": _fee_preference,
    "limit_price_type": _limit_price_type,
    "margin": _margin,
    "triggers": _triggers,
    "conditional": _conditional,
}
OF_REST: Final = {rest: name for name, rest in SAME.items()} | {
    "timeinforce": "time_in_force",
    "expiretm": "expire_time",
    "stptype": "stp_type",
    "txid": "order_id",
}
