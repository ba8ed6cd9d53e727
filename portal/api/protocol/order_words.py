"""Orders and trades in the protocol's words (reference §9)."""

from decimal import Decimal
from functools import lru_cache

import msgspec

from portal.api.protocol.envelope import JSON
from portal.core.money import wire
from portal.venues.types import OrderKind, OrderRow, OrderStatus, ToldOrder, ToldTrade, TradeRow

NOTHING = "0.00000"


def order_row(row: OrderRow, *, with_trades: bool) -> dict[str, JSON]:
    """An order in the protocol's fields. `trades` are named only when asked for."""
    is_open = row.status is OrderStatus.OPEN
    return {
        "refid": None,
        "userref": row.userref,
        "cl_ord_id": row.cl_ord_id,
        "status": row.status.value,
        **({} if is_open else {"reason": row.reason or None}),
        "opentm": row.opened_at.timestamp(),
        **({"closetm": row.closed_at.timestamp()} if row.closed_at else {}),
        "starttm": 0,
        "expiretm": row.expires_at.timestamp() if row.expires_at else 0,
        "descr": {
            "pair": row.pair.altname,
            "aclass": "forex",
            "type": row.side.value,
            "ordertype": row.kind.value,
            "price": price(row.price),
            "price2": "0",
            "leverage": "none",
            "order": in_words(row),
            "close": "",
        },
        "vol": f"{row.volume:f}",
        "vol_exec": f"{row.filled_volume:f}",
        "cost": price(row.cost),
        "fee": price(row.fee),
        "price": price(row.average_price),
        "stopprice": NOTHING,
        "limitprice": NOTHING,
        "misc": "partial" if not is_open and 0 < row.filled_volume < row.volume else "",
        "oflags": "fciq,post" if row.is_post_only else "fciq",
        **({"trades": list(row.trades)} if with_trades else {}),
    }


def trade_row(row: TradeRow, *, with_ledgers: bool) -> dict[str, JSON]:
    """One trade in the protocol's names; `with_ledgers` also names the entries it was booked by."""
    return {
        "ordertxid": row.order_id,
        "postxid": row.id,
        "pair": row.pair.id,
        "aclass": "forex",
        "time": row.at.timestamp(),
        "type": row.side.value,
        "ordertype": row.kind.value,
        "price": price(row.price),
        "cost": price(row.cost),
        "fee": price(row.fee),
        "vol": f"{row.volume:f}",
        "margin": NOTHING,
        "leverage": "0",
        "misc": "",
        "trade_id": row.number,
        "maker": row.is_maker,
        **({"ledgers": list(row.ledger_ids)} if with_ledgers else {}),
    }


def in_words(row: OrderRow) -> str:
    """`buy 1.25000000 XBTUSD @ limit 37500.0`. One client splits this on spaces, so it has this form exactly."""
    limit = f" {row.price:f}" if row.kind is OrderKind.LIMIT else ""
    return f"{row.side} {row.volume:f} {row.pair.altname} @ {row.kind}{limit}"


def price(amount: Decimal) -> str:
    """At the pair's places; zero as the protocol has it."""
    return f"{amount:f}" if amount else NOTHING


def told_order(row: ToldOrder) -> dict[str, JSON]:
    """The same as `order_row`, without trades, of an order in units."""
    pair, is_open = row.pair, row.status == "open"
    volume, limit = wire(row.volume_units, pair.volume_decimals), wire(row.price_units, pair.price_decimals)
    told: dict[str, JSON] = {
        "refid": None,
        "userref": row.userref,
        "cl_ord_id": row.cl_ord_id,
        "status": row.status,
    }
    if not is_open:
        told["reason"] = row.reason or None
    told["opentm"] = row.opened_at.timestamp()
    if row.closed_at:
        told["closetm"] = row.closed_at.timestamp()
    told["starttm"] = 0
    told["expiretm"] = row.expires_at.timestamp() if row.expires_at else 0
    told["descr"] = {
        "pair": pair.altname,
        "aclass": "forex",
        "type": row.side,
        "ordertype": row.kind,
        "price": limit if row.price_units else NOTHING,
        "price2": "0",
        "leverage": "none",
        "order": f"{row.side} {volume} {pair.altname} @ {row.kind}{f' {limit}' if row.kind == 'limit' else ''}",
        "close": "",
    }
    told["vol"] = volume
    told["vol_exec"] = wire(row.filled_units, pair.volume_decimals)
    told["cost"] = wire(row.cost_units, pair.cost_decimals) if row.cost_units else NOTHING
    told["fee"] = wire(row.fee_units, pair.cost_decimals) if row.fee_units else NOTHING
    told["price"] = wire(row.average_units, pair.price_decimals) if row.average_units else NOTHING
    told["stopprice"] = told["limitprice"] = NOTHING
    told["misc"] = "partial" if not is_open and 0 < row.filled_units < row.volume_units else ""
    told["oflags"] = "fciq,post" if row.is_post_only else "fciq"
    return told


@lru_cache(maxsize=4096)
def order_text(row: ToldOrder) -> msgspec.Raw:
    """The same as it stands in an answer: bots ask for the same orders again and again, and few have changed."""
    return msgspec.Raw(msgspec.json.encode(told_order(row)))


def told_trade(row: ToldTrade) -> dict[str, JSON]:
    """The same as `trade_row`, without ledgers, of a trade in units."""
    txid, number, order_id, pair, at, side, kind, price_units, volume_units, cost_units, fee_units, is_maker = row
    places = pair.cost_decimals
    return {
        "ordertxid": order_id,
        "postxid": txid,
        "pair": pair.id,
        "aclass": "forex",
        "time": at.timestamp(),
        "type": side,
        "ordertype": kind,
        "price": wire(price_units, pair.price_decimals) if price_units else NOTHING,
        "cost": wire(cost_units, places) if cost_units else NOTHING,
        "fee": wire(fee_units, places) if fee_units else NOTHING,
        "vol": wire(volume_units, pair.volume_decimals),
        "margin": NOTHING,
        "leverage": "0",
        "misc": "",
        "trade_id": number,
        "maker": is_maker,
    }
