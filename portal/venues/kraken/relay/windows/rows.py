"""On the way back: every row of an answer by its own time, and what the key may not see taken out.

Where nothing has to be taken out the answer is the one that came. Where something has, the rest of it stays as it was
written, fields that nobody here knows among it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from portal.venues.errors import NotSeen
from portal.venues.kraken.relay import raw
from portal.venues.kraken.relay.raw import Parts
from portal.venues.kraken.relay.values import number, text, texts
from portal.venues.kraken.relay.windows.window import Window
from portal.venues.kraken.upstream.envelope import NOT_JSON, Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.relaying import RelayedCall

ID_LENGTH: Final = 64
OPEN: Final = "query-open-trades"
CLOSED: Final = "query-closed-trades"
STANDING: Final = ("open", "pending")
# Of what was cut to whole seconds it is not known when it was.
MILLENNIUM: Final = Decimal(10**11)

_ROW: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a key sees: its window, and whether orders that stand and those that ended."""

    window: Window
    open_orders: bool
    closed_orders: bool

    @property
    def is_everything(self) -> bool:
        """Whether no order is kept from it."""
        return self.window.is_open and self.open_orders and self.closed_orders

    def order(self, row: Mapping[str, Any]) -> bool:
        """An order that began and, if it did, ended in the window. What an open one trades later is not in it."""
        stands = row.get("status") in STANDING
        if not (self.open_orders if stands else self.closed_orders):
            return False
        if self.window.is_open:
            return True
        if not self.window.has(row.get("opentm")):
            return False
        if stands:
            return not self.window.has_ended or number(row.get("vol_exec")) == 0
        return self.window.has(row.get("closetm"))

    def entry(self, row: Mapping[str, Any]) -> bool:
        """An entry of the ledger."""
        return self.window.has(row.get("time"))

    def trade(self, row: Mapping[str, Any]) -> bool:
        """A trade; of one that opened a position it says what became of that since."""
        return self.window.has(row.get("time")) and not ("posstatus" in row and self.window.has_ended)

    def position(self, row: Mapping[str, Any]) -> bool:
        """An open position: it says how it stands now."""
        return self.window.has(row.get("time")) and not self.window.has_ended

    def deposit(self, row: Mapping[str, Any]) -> bool:
        """A deposit, whose time is cut to its second."""
        return self.window.has_cut(row.get("time"))

    def amend(self, row: Mapping[str, Any]) -> bool:
        """A change of an order: its time is in billionths of a second, or coarser."""
        at = number(row.get("timestamp"))
        while at is not None and at > MILLENNIUM:
            at /= 1000
        return self.window.has(at)


def of(call: RelayedCall, window: Window) -> Seen:
    """What the key of the call sees."""
    return Seen(window, OPEN in call.permissions, CLOSED in call.permissions)


def checked(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
    """The answer without what the key may not see. Raises: NotSeen; AnswerLost if it cannot be read."""
    check = CHECKS.get(call.method)
    if check is None or answer.errors or (seen.is_everything if call.method in OF_ORDERS else seen.window.is_open):
        return answer
    return check(call, answer, seen)


def time_of(method: str, answer: Answer, row_id: str, seen: Seen) -> Decimal | None:
    """When the one row of that id was, in the answer to a question for it; None if the key may not see it."""
    found = raw.parts(answer.result).get(row_id)
    row = None if found is None else _row(found)
    if row is None or not _BY_ID[method](seen, row):
        return None
    if method == "QueryOrders":
        return number(row.get("closetm")) or number(row.get("opentm"))
    return number(row.get("time"))


def _row(written: msgspec.Raw) -> dict[str, Any]:
    try:
        return _ROW.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerLost(NOT_JSON) from error


def left_of(rows: Parts, is_seen: Callable[[Mapping[str, Any]], bool]) -> Parts:
    """Those rows that are seen, by their ids."""
    return {name: written for name, written in rows.items() if is_seen(_row(written))}


def _list(name: str, is_seen: Callable[[Seen, Mapping[str, Any]], bool]) -> "Check":
    """A page of a list: rows by their ids under `name`, and how many there are on all pages."""

    def check(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
        result = raw.parts(answer.result)
        rows = raw.parts(result.get(name, msgspec.Raw(b"{}")))
        left = left_of(rows, lambda row: is_seen(seen, row))
        taken = len(rows) - len(left)
        is_counted = "count" in result
        if not taken and not (is_counted and _is_count_wrong(call)):
            return answer
        changed: dict[str, Any] = {**result, name: left}
        if is_counted:
            del changed["count"]
            counted = _number(result["count"])
            if not _is_count_wrong(call) and counted is not None:
                changed["count"] = max(0, counted - taken)
        return raw.with_result(answer, changed)

    return check


def _is_count_wrong(call: RelayedCall) -> bool:
    """Whether the exchange counted by one time of an order, while the window bounds both."""
    if call.method != "ClosedOrders" or text(call.fields, "closetime") not in ("open", "close"):
        return False
    return bool(text(call.fields, "start") or text(call.fields, "end"))


def _number(written: msgspec.Raw) -> int | None:
    try:
        return msgspec.json.decode(written, type=int, strict=False)
    except msgspec.MsgspecError:
        return None


def _by_id(is_seen: Callable[[Seen, Mapping[str, Any]], bool]) -> "Check":
    """Rows by their ids, which the call has named."""

    def check(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
        rows = raw.parts(answer.result)
        left = left_of(rows, lambda row: is_seen(seen, row))
        return answer if len(left) == len(rows) else raw.with_result(answer, left)

    return check


def _positions(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
    """By their ids; a list where there are none, or where `positions` has found that all are seen."""
    is_list = answer.result is not None and answer.result.lstrip()[:1] == b"["
    if is_list and (text(call.fields, "consolidation") or not raw.items(answer.result)):
        return answer
    return _by_id(Seen.position)(call, answer, seen)


def _entries(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
    """All or none, as of ids that do not exist."""
    rows = raw.parts(answer.result)
    if len(left_of(rows, seen.entry)) < len(rows) or not set(texts(call.fields, "id")) <= rows.keys():
        raise NotSeen("There is no such entry that the key may see.", field="id")
    return answer


def _deposits(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
    """A list, or an object around it where there are pages."""
    if answer.result is not None and answer.result.lstrip()[:1] == b"[":
        rows = raw.items(answer.result)
        left = [written for written in rows if seen.deposit(_row(written))]
        return answer if len(left) == len(rows) else raw.with_result(answer, left)
    result = raw.parts(answer.result)
    name = next((each for each in ("deposits", "deposit") if each in result), "")
    if not name:
        raise AnswerLost(NOT_JSON)
    rows = raw.items(result[name])
    left = [written for written in rows if seen.deposit(_row(written))]
    return answer if len(left) == len(rows) else raw.with_result(answer, {**result, name: left})


def _amends(call: RelayedCall, answer: Answer, seen: Seen) -> Answer:
    result = raw.parts(answer.result)
    rows = raw.items(result.get("amends", msgspec.Raw(b"[]")))
    left = [written for written in rows if seen.amend(_row(written))]
    if len(left) == len(rows):
        return answer
    return raw.with_result(answer, {**result, "amends": left, "count": len(left)})


Check = Callable[[RelayedCall, Answer, Seen], Answer]
OF_ORDERS: Final = frozenset({"QueryOrders"})
CHECKS: Final[Mapping[str, Check]] = {
    "OpenOrders": _list("open", Seen.order),
    "ClosedOrders": _list("closed", Seen.order),
    "QueryOrders": _by_id(Seen.order),
    "TradesHistory": _list("trades", Seen.trade),
    "QueryTrades": _by_id(Seen.trade),
    "OpenPositions": _positions,
    "Ledgers": _list("ledger", Seen.entry),
    "QueryLedgers": _entries,
    "DepositStatus": _deposits,
    "OrderAmends": _amends,
}
_BY_ID: Final[Mapping[str, Callable[[Seen, Mapping[str, Any]], bool]]] = {
    "QueryOrders": Seen.order,
    "QueryTrades": Seen.trade,
    "QueryLedgers": Seen.entry,
}
