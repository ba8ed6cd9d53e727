"""Looking at the exchange for what a call may have done there, before anything is sent a second time."""

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final

import msgspec

from portal.core.errors import Unavailable
from portal.venues.kraken.relay import export_list
from portal.venues.kraken.relay.line import Line
from portal.venues.kraken.relay.repeats import is_nonce, is_overloaded
from portal.venues.kraken.relay.values import number, text
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent
from portal.venues.kraken.upstream.transport import NO_ANSWER

JSON: Final = "application/json"
# How far the exchange's clock may be from ours. An order's own id is good for a longer time than a number that many
# orders may share.
CLOCKS_SECONDS: Final = 120.0
NUMBER_SECONDS: Final = 5.0
# An order that was just placed may not be listed for a moment.
PAUSES: Final = (0.0, 1.0, 2.0)
QUERY_PAUSES: Final = (0.25, 0.5, 1.0, 2.0)
ROOM_SECONDS: Final = 0.5


class NotFound(Enum):
    """What looking has found, where it is not what was done."""

    # It was certainly not done; once more does no harm.
    NOT_DONE = auto()
    UNKNOWN = auto()


Found = Answer | NotFound


def look(line: Line, method: str, fields: Mapping[str, Any], sent_at: float, *, may_be_done: bool) -> Found:
    """The answer that the call would have had, if the exchange shows what it did; else what is known.

    `sent_at` is when it was sent, on our clock. `may_be_done` is false where the exchange said that it was not.
    """
    try:
        return LOOKS[method](line, fields, sent_at, may_be_done)
    except (AnswerLost, NotSent, Unavailable):
        return NotFound.UNKNOWN


def said(result: object) -> Answer:
    """An answer in the exchange's form."""
    raw = msgspec.json.encode(result)
    return Answer(b'{"error":[],"result":' + raw + b"}", JSON, (), (), raw)


def _new_order(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    for _ in _tries(line):
        found = _order(line, fields, sent_at)
        if found is not None:
            txid, row = found
            return said({"descr": _descr(row), "txid": [txid]})
    return NotFound.UNKNOWN


def _new_orders(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    orders = fields["orders"]
    found: list[tuple[str, dict[str, Any]] | None] = []
    for _ in _tries(line):
        found = [_order(line, order, sent_at) for order in orders]
        if all(found):
            break
    if not any(found):
        return NotFound.UNKNOWN
    rows = [
        {"error": "EService:Timeout"} if each is None else {"descr": _descr(each[1]), "txid": each[0]} for each in found
    ]
    return said({"orders": rows})


def _amended(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    txid = text(fields, "txid") or _open_id(line, text(fields, "cl_ord_id"))
    if not txid:
        return NotFound.UNKNOWN
    wanted = {"order_qty": number(fields.get("order_qty")), "limit_price": number(fields.get("limit_price"))}
    amends = _asked(line, "OrderAmends", {"order_id": txid}, may_fail=True)
    for row in reversed(amends.get("amends", [])):
        at = number(row.get("timestamp")) if isinstance(row, dict) else None
        if at is None or _in_seconds(at) < Decimal(sent_at - NUMBER_SECONDS) or row.get("amend_type") == "original":
            continue
        if all(want is None or number(row.get(name)) == want for name, want in wanted.items()):
            return said({"amend_id": row.get("amend_id")})
    row = _asked(line, "QueryOrders", {"txid": txid}).get(txid)
    if not isinstance(row, dict) or row.get("status") not in ("open", "pending"):
        return NotFound.UNKNOWN
    stands = {"order_qty": number(row.get("vol")), "limit_price": number(_part(row, "descr").get("price"))}
    is_there = all(want is None or stands[name] == want for name, want in wanted.items())
    return NotFound.UNKNOWN if is_there else NotFound.NOT_DONE


def _edited(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    txid = text(fields, "txid")
    old = _asked(line, "QueryOrders", {"txid": txid}).get(txid)
    if not isinstance(old, dict):
        return NotFound.UNKNOWN
    if old.get("status") in ("open", "pending"):
        return NotFound.NOT_DONE
    descr = _part(old, "descr")
    wanted = {"type": descr.get("type"), "pair": descr.get("pair")}
    volume, price = number(fields.get("volume")), number(fields.get("price"))
    matching = [
        (found, row)
        for found, row in _part(_asked(line, "OpenOrders", {}), "open").items()
        if _opened(row) >= Decimal(sent_at - NUMBER_SECONDS)
        and all(_part(row, "descr").get(name) == want for name, want in wanted.items())
        and (volume is None or number(row.get("vol")) == volume)
        and (price is None or number(_part(row, "descr").get("price")) == price)
    ]
    if len(matching) != 1:
        return NotFound.UNKNOWN
    ((new, row),) = matching
    return said(
        {
            "status": "ok",
            "txid": new,
            "originaltxid": txid,
            "volume": row.get("vol"),
            "price": _part(row, "descr").get("price"),
            "orders_cancelled": 1,
            "descr": _descr(row),
        }
    )


def _lent(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool, *, status: str) -> Found:
    """The status says the error of the last operation, if that failed, as an error of its own."""
    answer = _query(line, status, {"strategy_id": fields.get("strategy_id")})
    if answer.errors:
        return NotFound.UNKNOWN if is_overloaded(answer.errors) or not may_be_done else answer
    is_pending = _part({"": answer.decoded()}, "").get("pending")
    if is_pending is True and may_be_done:
        return said(result=True)
    # Done and over, or never begun: the exchange does not tell these apart.
    return NotFound.UNKNOWN if may_be_done else NotFound.NOT_DONE


def _new_address(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    answer = _query(line, "DepositAddresses", {name: value for name, value in fields.items() if name != "new"})
    rows = [] if answer.errors else answer.decoded()
    has_new = isinstance(rows, list) and any(isinstance(row, dict) and row.get("new") is True for row in rows)
    return answer if has_new else NotFound.UNKNOWN if answer.errors else NotFound.NOT_DONE


def _new_export(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    answer = _query(line, "ExportStatus", {"report": fields.get("report")})
    rows = [] if answer.errors else answer.decoded()
    if answer.errors or not isinstance(rows, list):
        return NotFound.UNKNOWN
    known = export_list.codes(line.account_id)
    for row in rows:
        at = number(row.get("createdtm")) if isinstance(row, dict) else None
        is_new = at is not None and at >= Decimal(sent_at - NUMBER_SECONDS) and row.get("id") not in known
        if is_new and row.get("descr") == text(fields, "description"):
            return said({"id": row.get("id")})
    return NotFound.NOT_DONE


def _order(line: Line, order: Mapping[str, Any], sent_at: float) -> tuple[str, dict[str, Any]] | None:
    """The order that was placed by that call, open or closed by now; None unless there is exactly one."""
    name = "cl_ord_id" if text(order, "cl_ord_id") else "userref"
    since = Decimal(sent_at - (CLOCKS_SECONDS if name == "cl_ord_id" else NUMBER_SECONDS))
    filters = {name: text(order, name)}
    found = {
        txid: row
        for part, method, more in (
            ("open", "OpenOrders", {}),
            ("closed", "ClosedOrders", {"start": str(int(since))}),
        )
        for txid, row in _part(_asked(line, method, {**filters, **more}), part).items()
        if isinstance(row, dict) and _is_of(row, order, name) and _opened(row) >= since
    }
    return next(iter(found.items())) if len(found) == 1 else None


def _is_of(row: Mapping[str, Any], order: Mapping[str, Any], name: str) -> bool:
    """Whether the exchange's order is the one that was asked for."""
    side, kind = text(order, "type"), text(order, "ordertype")
    descr = _part(row, "descr")
    return (
        str(row.get(name)) == text(order, name)
        and descr.get("type", side) == side
        and descr.get("ordertype", kind) == kind
        and number(row.get("vol")) == number(order.get("volume"))
    )


def _asked(line: Line, method: str, fields: Mapping[str, Any], *, may_fail: bool = False) -> dict[str, Any]:
    """The result of a query. Raises: Unavailable where it is an error or of another shape."""
    answer = _query(line, method, fields)
    found = {} if answer.errors else answer.decoded()
    if (answer.errors and not may_fail) or not isinstance(found, dict):
        raise AnswerLost(NO_ANSWER)
    return found


def _query(line: Line, method: str, fields: Mapping[str, Any]) -> Answer:
    """A query, repeated: the look may meet the fault that the call has met. Raises: AnswerLost, NotSent."""
    for pause in QUERY_PAUSES:
        try:
            answer = line.ask(method, fields)
        except AnswerLost:
            answer = None
        if answer is not None and not is_overloaded(answer.errors) and not is_nonce(answer.errors):
            return answer
        if pause + ROOM_SECONDS > line.left:
            break
        time.sleep(pause)
    raise AnswerLost(NO_ANSWER)


def _open_id(line: Line, cl_ord_id: str) -> str:
    found = _part(_asked(line, "OpenOrders", {"cl_ord_id": cl_ord_id}), "open") if cl_ord_id else {}
    return str(next(iter(found))) if len(found) == 1 else ""


def _tries(line: Line) -> Iterator[None]:
    for pause in PAUSES:
        if pause + ROOM_SECONDS > line.left:
            return
        time.sleep(pause)
        yield


def _part(row: object, name: str) -> dict[str, Any]:
    found = row.get(name) if isinstance(row, dict) else None
    return found if isinstance(found, dict) else {}


def _descr(row: object) -> dict[str, Any]:
    descr = _part(row, "descr")
    close = {"close": descr["close"]} if descr.get("close") else {}
    return {"order": descr.get("order", ""), **close}


def _opened(row: object) -> Decimal:
    return number(row.get("opentm") if isinstance(row, dict) else None) or Decimal(0)


def _in_seconds(at: Decimal) -> Decimal:
    """A time that may be in seconds, or in thousandths, millionths or billionths of them."""
    while at > 10**11:
        at /= 1000
    return at


Look = Callable[[Line, Mapping[str, Any], float, bool], Found]


def _allocated(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    return _lent(line, fields, sent_at, may_be_done, status="Earn/AllocateStatus")


def _deallocated(line: Line, fields: Mapping[str, Any], sent_at: float, may_be_done: bool) -> Found:
    return _lent(line, fields, sent_at, may_be_done, status="Earn/DeallocateStatus")


LOOKS: Final[Mapping[str, Look]] = {
    "AddOrder": _new_order,
    "AddOrderBatch": _new_orders,
    "AmendOrder": _amended,
    "EditOrder": _edited,
    "Earn/Allocate": _allocated,
    "Earn/Deallocate": _deallocated,
    "DepositAddresses": _new_address,
    "AddExport": _new_export,
}
