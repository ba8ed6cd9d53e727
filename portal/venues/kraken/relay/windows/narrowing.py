"""On the way out: a call asks for no more than its key may see."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from portal.core.errors import Refused
from portal.venues.errors import NotSeen
from portal.venues.kraken.relay import sending
from portal.venues.kraken.relay.line import Line
from portal.venues.kraken.relay.values import may_say_yes, seconds, text, texts
from portal.venues.kraken.relay.windows import rows
from portal.venues.kraken.relay.windows.known import refuse_unbounded
from portal.venues.kraken.relay.windows.rows import Seen
from portal.venues.relaying import RelayedCall

DEPOSIT: Final = "add-funds"
NO_DEPOSIT: Final = "To make a deposit address needs the permission to deposit."
NOT_THERE: Final = "There is nothing of that name that the key may see."
# Where a bound of a list may name one of its rows: what shows that row, and how it is asked for.
NAMED: Final[Mapping[str, tuple[str, str]]] = {
    "Ledgers": ("QueryLedgers", "id"),
    "TradesHistory": ("QueryTrades", "txid"),
    "ClosedOrders": ("QueryOrders", "txid"),
}


def narrowed(line: Line, call: RelayedCall, seen: Seen) -> dict[str, Any]:
    """The fields to send instead. A row that a bound or the call itself names is looked at first.

    Raises: NotSeen for what the key may not see, or nobody knows whether it may; Refused for what it may not do; as
    `sending.carry_out`.
    """
    fields, method = dict(call.fields), call.method
    if method == "DepositAddresses" and may_say_yes(fields, "new") and DEPOSIT not in call.permissions:
        raise Refused(NO_DEPOSIT)
    if method == "OrderAmends" and not seen.is_everything:
        _look_at(line, seen, "QueryOrders", "txid", text(fields, "order_id"))
    if seen.window.is_open:
        return fields
    refuse_unbounded(method, fields)
    if method in NAMED:
        _bound(fields, "start", seen.window.start(_time(line, seen, method, fields, "start")))
        _bound(fields, "end", seen.window.end(_time(line, seen, method, fields, "end")))
        if method == "ClosedOrders" and not text(call.fields, "start") and not text(call.fields, "end"):
            # The window bounds both times of an order.
            fields.pop("closetime", None)
    elif method == "DepositStatus":
        _bound(fields, "start", seen.window.since(_seconds(fields, "start")))
        _bound(fields, "end", seen.window.end(_seconds(fields, "end")))
    elif method == "AddExport":
        _narrow_export(fields, seen)
    return fields


def _time(line: Line, seen: Seen, method: str, fields: Mapping[str, Any], name: str) -> Decimal | None:
    """The time of a bound, None without one; a row's own where the bound names one."""
    said = text(fields, name)
    at = seconds(said)
    if not said or at is not None:
        return at
    return _look_at(line, seen, *NAMED[method], said)


def _look_at(line: Line, seen: Seen, method: str, name: str, row_id: str) -> Decimal | None:
    """The time of one row. Raises: NotSeen if there is none that the key may see."""
    if not row_id or len(row_id) > rows.ID_LENGTH or "," in row_id:
        raise NotSeen(NOT_THERE, field=name)
    answer = sending.carry_out(line, method, {name: row_id})
    at = None if answer.errors else rows.time_of(method, answer, row_id, seen)
    if at is None:
        raise NotSeen(NOT_THERE, field=name)
    return at


def _seconds(fields: Mapping[str, Any], name: str) -> Decimal | None:
    said = text(fields, name)
    at = seconds(said)
    if said and at is None:
        raise NotSeen(f"“{name}” is no time.", field=name)
    return at


def _bound(fields: dict[str, Any], name: str, at: Decimal | None) -> None:
    """Set the bound to that time, unless it says just that."""
    said = text(fields, name)
    if at is not None and seconds(said) != at and not (said and seconds(said) is None):
        fields[name] = _written(at)


def _written(at: Decimal) -> str:
    spelled = f"{at:f}"
    return spelled.rstrip("0").rstrip(".") if "." in spelled else spelled


def _narrow_export(fields: dict[str, Any], seen: Seen) -> None:
    columns = texts(fields, "fields")
    if columns and "all" not in columns and "time" not in columns:
        raise NotSeen("Without the column “time” nobody can tell which rows the key may see.", field="fields")
    _bound(fields, "starttm", seen.window.whole_since(_seconds(fields, "starttm")))
    _bound(fields, "endtm", seen.window.whole_until(_seconds(fields, "endtm")))
