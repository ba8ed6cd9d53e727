"""Orders and trades in the protocol's words (reference §9)."""

from decimal import Decimal

from portal.api.protocol.envelope import JSON
from portal.venues.types import OrderKind, OrderRow, OrderStatus, TradeRow

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
