"""What stands in each column of an export, as the protocol's own files have it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from portal.core.money import written
from portal.venues.types import LedgerRow, Report, TradeRow

LEDGERS: Final[Mapping[str, Callable[[LedgerRow], str]]] = {
    "txid": lambda row: row.id,
    "refid": lambda row: row.reference,
    "time": lambda row: _time(row.at),
    "type": lambda row: row.kind,
    "subtype": lambda row: row.subkind,
    "aclass": lambda row: "currency",
    "asset": lambda row: row.asset.id,
    "amount": lambda row: written(row.amount_units, row.asset.decimals),
    "fee": lambda row: written(row.fee_units, row.asset.decimals),
    "balance": lambda row: written(row.balance_units, row.asset.decimals),
}
TRADES: Final[Mapping[str, Callable[[TradeRow], str]]] = {
    "txid": lambda row: row.id,
    "ordertxid": lambda row: row.order_id,
    "pair": lambda row: row.pair.id,
    "time": lambda row: _time(row.at),
    "type": lambda row: row.side.value,
    "ordertype": lambda row: row.kind.value,
    "price": lambda row: f"{row.price:f}",
    "cost": lambda row: f"{row.cost:f}",
    "fee": lambda row: f"{row.fee:f}",
    "vol": lambda row: f"{row.volume:f}",
    "margin": lambda row: "0",
    "misc": lambda row: "",
    "ledgers": lambda row: ",".join(row.ledger_ids),
}
NAMES: Final = {Report.LEDGERS: tuple(LEDGERS), Report.TRADES: tuple(TRADES)}


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-2]
