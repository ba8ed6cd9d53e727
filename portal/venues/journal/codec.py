"""Events as text: JSON, with Decimals as they are and of each asset and pair the id alone."""

from dataclasses import fields
from typing import Any, Final

import msgspec

from portal.venues.protocol import Catalogue
from portal.venues.types import Event, LedgerEvent, OrderEvent, OrderRow, TradeRow

LEDGER: Final = "ledger"
ORDER: Final = "order"
NAMES: Final = {kind: [field.name for field in fields(kind)] for kind in (LedgerEvent, OrderEvent, OrderRow, TradeRow)}


def encoded(event: Event) -> str:
    """The event as the journal keeps it."""
    if isinstance(event, LedgerEvent):
        body = {"is": LEDGER, **_fields(event), "asset": event.asset.id}
    else:
        rows = {"order": _of_pair(event.order), "trade": event.trade and _of_pair(event.trade)}
        body = {"is": ORDER, **_fields(event), **rows}
    return msgspec.json.encode(body).decode()


def decoded(text: str, catalogue: Catalogue) -> Event:
    """The event that `encoded` was given, to the last place of each amount.

    Raises: msgspec.MsgspecError for what is no event; UnknownAsset, UnknownPair for what is not traded any more.
    """
    body = msgspec.json.decode(text, type=dict[str, Any])
    if body.get("is") == LEDGER:
        return msgspec.convert(
            {**body, "asset": catalogue.asset(str(body.get("asset")))}, LedgerEvent, from_attributes=True
        )
    rows = {name: _with_pair(body.get(name), catalogue) for name in ("order", "trade")}
    return msgspec.convert({**body, **rows}, OrderEvent, from_attributes=True)


def _fields(row: LedgerEvent | OrderEvent | OrderRow | TradeRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in NAMES[type(row)]}


def _of_pair(row: OrderRow | TradeRow) -> dict[str, Any]:
    return {**_fields(row), "pair": row.pair.id}


def _with_pair(row: dict[str, Any] | None, catalogue: Catalogue) -> dict[str, Any] | None:
    return row and {**row, "pair": catalogue.pair(str(row.get("pair")))}
