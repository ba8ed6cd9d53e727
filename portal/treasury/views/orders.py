"""What an Account's bots have ordered, what became of it, and what it traded."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from policies.access import needs
from policies.workflows import Right
from portal.core.display import markup
from portal.core.web.http import MemberRequest
from portal.treasury.views.account_pages import WORKFLOW, accounts_seen, dated, find, framed, told
from portal.venues.registry import venue
from portal.venues.types import (
    Asset,
    ClosedQuery,
    OpenQuery,
    OrderKind,
    OrderRow,
    OrderStatus,
    Pair,
    Part,
    TradeQuery,
    TradeRow,
)

SHOWN: Final = 20
# Exchanges bound how many can be open; should one have more, this page still ends.
MOST_OPEN: Final = 250
ENDS: Final[dict[OrderStatus, tuple[str, markup.Level]]] = {
    OrderStatus.PENDING: ("Waiting for its trigger", "wait"),
    OrderStatus.OPEN: ("Open", "wait"),
    OrderStatus.CLOSED: ("Filled", "done"),
    OrderStatus.CANCELED: ("Cancelled", "void"),
    OrderStatus.EXPIRED: ("Expired", "void"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One row of open or closed orders; `at` is when it was opened, or when it ended."""

    id: str
    at: datetime
    what: str
    kind: str
    said: str
    volume: str
    filled: str
    price: str
    average: str
    cost: str
    fee: str
    state: str
    level: markup.Level
    reason: str


@dataclass(frozen=True, slots=True)
class Trade:
    """One row of trades."""

    id: str
    at: datetime
    what: str
    order: str
    volume: str
    price: str
    cost: str
    fee: str
    is_maker: bool


@require_safe
@needs(WORKFLOW, Right.VIEW)
def account_orders(request: MemberRequest, pk: int) -> HttpResponse:
    """All that are open, and the last that are not any more."""
    accounts = accounts_seen(request)
    account = find(accounts, pk)
    exchange = venue(account.venue)
    standing = told(account, Part.OPEN_ORDERS, lambda: exchange.open_orders(account.pk, OpenQuery()))
    ended = told(
        account, Part.CLOSED_ORDERS, lambda: exchange.closed_orders(account.pk, ClosedQuery(with_count=False)).rows
    )
    traded = told(account, Part.TRADES, lambda: exchange.trades(account.pk, TradeQuery(with_count=False)).rows)
    context = {
        **framed(account, accounts, "treasury:account_orders"),
        **dated(standing, ended, traded),
        "are_open_known": standing.value is not None,
        "open_orders": [_order(row) for row in (standing.value or ())[:MOST_OPEN]],
        "more_open": max(0, len(standing.value or ()) - MOST_OPEN),
        "are_closed_known": ended.value is not None,
        "closed_orders": [_order(row) for row in (ended.value or ())[:SHOWN]],
        "are_trades_known": traded.value is not None,
        "trades": [_trade(row) for row in (traded.value or ())[:SHOWN]],
    }
    return render(request, "treasury/account_orders.html", context)


def _order(row: OrderRow) -> Order:
    state, level = ENDS[row.status]
    if row.status is OrderStatus.CANCELED and row.filled_volume:
        state = "Cancelled, partly filled"
    is_limit = row.kind is OrderKind.LIMIT
    return Order(
        id=row.id,
        at=row.closed_at or row.opened_at,
        what=f"{row.side.capitalize()} {_name(row.pair)}",
        kind="" if row.kind is OrderKind.OTHER else row.kind.capitalize(),
        # The exchange's words are shown where ours say less: leverage, triggers, how far an order trails.
        said=row.said if row.kind is OrderKind.OTHER or " with " in row.said else "",
        volume=_digits(row.volume, row.pair.base),
        filled=_digits(row.filled_volume, row.pair.base),
        price=_digits(row.price) if is_limit else "",
        average=_digits(row.average_price) if row.filled_volume else "",
        cost=_digits(row.cost, row.pair.quote),
        fee=_digits(row.fee, row.pair.quote),
        state=state,
        level=level,
        reason=row.reason,
    )


def _trade(row: TradeRow) -> Trade:
    return Trade(
        id=row.id,
        at=row.at,
        what=f"{'Bought' if row.side == 'buy' else 'Sold'} {_name(row.pair)}",
        order=row.order_id,
        volume=_digits(row.volume, row.pair.base),
        price=_digits(row.price),
        cost=_digits(row.cost, row.pair.quote),
        fee=_digits(row.fee, row.pair.quote),
        is_maker=row.is_maker,
    )


def _name(pair: Pair) -> str:
    """`BTC/USD`; a pair that only its exchange knows goes by the exchange's name."""
    return f"{pair.base.code}/{pair.quote.code}" if pair.base.code else pair.wsname


def _digits(value: Decimal, asset: Asset | None = None) -> str:
    """The digits that it has, grouped for the eye, and of what it is so much."""
    return f"{value:,f} {asset.code}".rstrip() if asset else f"{value:,f}"
