"""The channel `ticker`: best prices, the last trade, and the last day (reference §13, §17)."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from portal.api.stream.channels.public import Parameters, Refused, Row, allow, flag, symbol_of
from portal.api.stream.numbers import at, number
from portal.venues.protocol import Catalogue
from portal.venues.types import Pair, Ticker

DAY: Final = timedelta(days=1)
MICROSECOND: Final = timedelta(microseconds=1)
HUNDREDTH: Final = Decimal("0.01")


class Trigger(StrEnum):
    """What makes an update: a trade, or a change of the best bid or offer."""

    TRADES = "trades"
    BBO = "bbo"


@dataclass(frozen=True, slots=True)
class Options:
    """What to be told of."""

    trigger: Trigger
    snapshot: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """A ticker, and the price one day before its last trade."""

    ticker: Ticker
    day_before: Decimal


def read(params: Parameters, method: str = "subscribe") -> Options:
    """Updates come with each trade, unless `event_trigger` is `bbo`."""
    allow(params, method, {"event_trigger"})
    try:
        trigger = Trigger(params.get("event_trigger", Trigger.TRADES))  # type: ignore[arg-type] # whatever came
    except ValueError:
        raise Refused("Event trigger not supported") from None
    return Options(trigger, snapshot=flag(params, "snapshot", default=True))


def result(options: Options, symbol: str) -> Row:
    """What counts, also where it was left out."""
    return {
        "channel": "ticker",
        "symbol": symbol,
        "event_trigger": options.trigger.value,
        "snapshot": options.snapshot,
    }


def snapshot(subject: Pair, options: Options, state: State) -> list[Row]:
    """One row."""
    return [_row(subject, state)]


def update(venue: Catalogue, subject: Pair, options: Options, before: State | None) -> tuple[list[Row], State]:
    """One row, with all fields, once the trigger is there."""
    (ticker,) = venue.tickers([subject.id])
    if before is None:
        return [], State(ticker, _day_before(venue, ticker))
    is_new_trade = ticker.last != before.ticker.last
    state = State(ticker, _day_before(venue, ticker) if is_new_trade else before.day_before)
    is_told = is_new_trade if options.trigger is Trigger.TRADES else _best(ticker) != _best(before.ticker)
    return ([_row(subject, state)] if is_told else []), state


def _best(ticker: Ticker) -> tuple[Decimal, Decimal]:
    return ticker.bid.price, ticker.ask.price


def _day_before(venue: Catalogue, ticker: Ticker) -> Decimal:
    """What the first trade of the last twenty-four hours was at; without one, nothing has changed."""
    trades = venue.public_trades(ticker.pair.id, ticker.last.at - DAY - MICROSECOND, 1)
    return trades[0].price if trades else ticker.last.price


def _row(pair: Pair, state: State) -> Row:
    ticker, day = state.ticker, state.ticker.day
    change = ticker.last.price - state.day_before
    return {
        "symbol": symbol_of(pair),
        "bid": number(ticker.bid.price),
        "bid_qty": number(ticker.bid.volume),
        "ask": number(ticker.ask.price),
        "ask_qty": number(ticker.ask.volume),
        "last": number(ticker.last.price),
        "volume": number(day.volume),
        "vwap": number(day.average_price),
        "low": number(day.low),
        "high": number(day.high),
        "change": number(change),
        "change_pct": number((change * 100 / state.day_before).quantize(HUNDREDTH)),
        "trades": day.trades,
        "timestamp": at(max(ticker.bid.at, ticker.ask.at, ticker.last.at)),
    }
