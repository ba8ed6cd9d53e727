"""Taking an order in: look, take what can be had at once, hold what the rest may cost, and let it stand."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal.core.money import from_units, plain
from portal.venues.errors import ClientIdTaken, OrderFunds
from portal.venues.journal.writing import together
from portal.venues.paper import fees
from portal.venues.paper.ledger.models import Balance
from portal.venues.paper.orders import amounts, matching, rows, standing, trading_counter, validation
from portal.venues.paper.orders.changes import Changes, Part, new_id
from portal.venues.paper.orders.models import Order
from portal.venues.paper.orders.standing import Standing
from portal.venues.paper.orders.validation import Asked
from portal.venues.paper.prices import quotes, source
from portal.venues.paper.prices.path import step_at
from portal.venues.paper.prices.quotes import Offer
from portal.venues.types import NewOrder, OrderChange, OrderRow, Side, TimeInForce


def place(account_id: int, wanted: NewOrder) -> OrderRow:
    """See Trading.place_order."""
    asked = validation.read(wanted, timezone.now())
    with transaction.atomic(), together():
        stands = standing.locked(account_id, asked.pair.id, wanted.cl_ord_id)
        now = stands.at
        validation.check_deadline(wanted, now)
        if stands.is_taken:
            # The database says it last.
            raise ClientIdTaken("An open order has that cl_ord_id.", field="cl_ord_id")
        limits = trading_counter.limits_of(stands.tier)
        rates = fees.rates(asked.pair, stands.traded_units)
        order = _order(account_id, asked, rates.maker, now)
        taken = _offered(asked, now)
        _check_market_cost(asked, taken)
        # Validating looks at what was written, not at what the Account has: clients try out with it what they could
        # never pay for.
        if not wanted.only_validate:
            trading_counter.check_room(stands.open_orders, asked.pair, limits)
            if not (wanted.is_post_only and taken):
                _check_funds(stands.balances, asked, taken, rates)
            counter = stands.counter or trading_counter.new(account_id, asked.pair.id, now)
            trading_counter.count_order(counter, limits, now)
            _carry_out(order, asked, taken, rates, stands)
        return rows.of_order(order, rows.turnover(order))


def _carry_out(order: Order, asked: Asked, taken: list[Offer], rates: fees.Rates, stands: Standing) -> None:
    """Fill what is offered; the rest stands or is given up, as its terms say. The order is written once, as it ends."""
    now, changes = stands.at, Changes(order.account_id)
    order.txid = new_id("O")
    order.looked_step = step_at(now)
    changes.opened(order)
    if order.is_post_only and taken:
        changes.end(order, OrderChange.CANCELED, now, "Post only order")
    else:
        for offer in taken:
            changes.fill(order, Part(offer.price, offer.volume, rates.taker, is_maker=False), now)
    if order.is_open and _rests(asked):
        changes.hold(order)
        matching.plan(order, source.path())
    elif order.is_open:
        is_market = asked.price_units is None
        reason = "Insufficient liquidity" if is_market else "Immediate or cancel"
        changes.end(order, OrderChange.CANCELED, now, reason)
    order.save(force_insert=True)
    changes.write(stands.balances)


def _rests(asked: Asked) -> bool:
    return asked.price_units is not None and asked.order.time_in_force is not TimeInForce.IOC


def _offered(asked: Asked, now: datetime) -> list[Offer]:
    """What the order would take from the book at once, best price first."""
    side, remaining, taken = asked.order.side, asked.volume_units, []
    for offer in quotes.offers(source.path(), asked.pair.id, step_at(now), side):
        if not remaining or not quotes.within(side, asked.price_units, offer.price):
            break
        taken.append(Offer(offer.price, min(remaining, offer.volume)))
        remaining -= taken[-1].volume
    return taken


def _check_market_cost(asked: Asked, taken: list[Offer]) -> None:
    """Only the book knows what a market order costs. Raises: CostTooSmall."""
    if asked.price_units is None:
        units = sum(amounts.cost(asked.pair, offer.price, offer.volume) for offer in taken)
        validation.check_cost(asked.pair, from_units(units, asked.pair.quote.decimals))


def _check_funds(balances: dict[str, Balance], asked: Asked, taken: list[Offer], rates: fees.Rates) -> None:
    """Raises: OrderFunds."""
    pair, side = asked.pair, asked.order.side
    costs = [amounts.cost(pair, offer.price, offer.volume) for offer in taken]
    rest = asked.volume_units - sum(offer.volume for offer in taken)
    needed = (
        amounts.hold(pair, side, asked.price_units, rest, rates.maker) if asked.price_units and _rests(asked) else 0
    )
    if side is Side.BUY:
        needed += sum(cost + amounts.fee(pair, cost, rates.taker, up=True) for cost in costs)
    else:
        needed += sum(amounts.base(pair, offer.volume) for offer in taken)
    asset = amounts.spent(pair, side)
    balance = balances.get(asset.id)
    free_units = balance.free_units if balance else 0
    if needed > free_units:
        free = plain(from_units(free_units, asset.decimals))
        raise OrderFunds(f"The order needs more than the {free} {asset.code} that are free.", field="volume")


def _order(account_id: int, asked: Asked, maker_rate: int, now: datetime) -> Order:
    wanted = asked.order
    return Order(
        account_id=account_id,
        pair=asked.pair.id,
        side=wanted.side,
        kind=wanted.kind,
        time_in_force=wanted.time_in_force,
        is_post_only=wanted.is_post_only,
        userref=wanted.userref,
        cl_ord_id=wanted.cl_ord_id,
        opened_at=now,
        expires_at=wanted.expires_at,
        price_units=asked.price_units,
        volume_units=asked.volume_units,
        maker_rate=maker_rate,
    )
