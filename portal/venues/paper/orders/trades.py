"""What queries about trades answer, and what they add up to."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone

from portal.core.money import from_units
from portal.venues.errors import UnknownOrder
from portal.venues.paper import catalogue, fees, query_bounds
from portal.venues.paper.ledger.models import Posting
from portal.venues.paper.orders.models import Trade
from portal.venues.paper.orders.rows import of_trade
from portal.venues.paper.orders.traded_days import traded
from portal.venues.paper.prices.markets import worth
from portal.venues.paper.prices.path import step_at
from portal.venues.paper.ranks import pages
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.ranks.stretch import Place
from portal.venues.types import (
    Balance,
    TradeBalance,
    TradePage,
    TradeQuery,
    TradeRow,
    TradeVolume,
)


def page(account_id: int, query: TradeQuery) -> TradePage:
    """See Trading.trades."""
    own = Trade.objects.filter(account_id=account_id)
    stretch = query_bounds.stretch(query).beyond(_place(own, query.after_id)).up_to(_place(own, query.until_id))
    page = pages.page(account_id, Ranked.TRADE, stretch, offset=query.offset)
    found = Trade.objects.filter(pk__in=page.ids).order_by("-at", "-pk")
    return TradePage(
        rows=tuple(described(found, with_ledgers=query.with_ledgers)), count=page.count if query.with_count else None
    )


def rows(account_id: int, ids: Sequence[str], query: TradeQuery) -> list[TradeRow]:
    """See Trading.trade_rows."""
    found = query_bounds.seen(Trade.objects.filter(account_id=account_id, txid__in=ids), query, "at")
    return described(found.order_by("-at", "-pk"), with_ledgers=query.with_ledgers)


def volume(account_id: int, names: Sequence[str]) -> TradeVolume:
    """See Trading.trade_volume."""
    units = traded(account_id, timezone.now())
    return TradeVolume(
        currency=fees.CURRENCY,
        volume=from_units(units, fees.CURRENCY.decimals),
        fees=tuple(fees.of_pair(catalogue.pair(name), units) for name in names),
    )


def balance(name: str, rows: Sequence[Balance]) -> TradeBalance:
    """See Books.trade_balance."""
    into, step = catalogue.asset(name), step_at(timezone.now())
    nothing = from_units(0, into.decimals)
    equivalent, unexecuted = nothing, nothing
    for row in rows:
        equivalent += worth(row.asset, row.units, into, step)
        unexecuted += worth(row.asset, row.held_by_orders_units, into, step)
    return TradeBalance(asset=into, equivalent=equivalent, free=equivalent - unexecuted, unexecuted=unexecuted)


def described(found: QuerySet[Trade], *, with_ledgers: bool) -> list[TradeRow]:
    """Trades as they are told, in the order in which they come."""
    listed = list(found.select_related("order"))
    ledgers: dict[int, list[str]] = defaultdict(list)
    if with_ledgers and listed:
        of_them = Posting.objects.filter(entry__in=[trade.entry_id for trade in listed], account__isnull=False)
        for entry_id, ledger_id in of_them.order_by("pk").values_list("entry_id", "ledger_id"):
            ledgers[entry_id].append(ledger_id or "")
    return [of_trade(trade, ledgers.get(trade.entry_id, ())) for trade in listed]


def _place(own: QuerySet[Trade], txid: str) -> Place | None:
    if not txid:
        return None
    place = own.filter(txid=txid).values_list("at", "pk").first()
    if place is None:
        raise UnknownOrder("There is no such trade.", field="start")
    return place
