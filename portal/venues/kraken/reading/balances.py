"""What an Account has at its exchange, less what waits here to be withdrawn; and what all of it is worth."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Q

from portal.core.money import from_units
from portal.venues.kraken.holds import HOLDING
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.reading import catalogue, shapes, snapshots
from portal.venues.kraken.reading.snapshots import Question
from portal.venues.types import Asset, Balance, Part, TradeBalance

# Prices move slowly for a total, and each reading is one of the calls that the exchange takes of all bots together.
WORTH_FRESH: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Holding:
    """What the exchange says of one asset. `usable` counts credit in: what is lent may be spent as well."""

    name: str
    usable: Decimal
    by_orders: Decimal


def balances(account_id: int) -> Sequence[Balance]:
    """By asset id. Raises: Unavailable."""
    held = snapshots.kept(account_id, Part.BALANCES, Question("BalanceEx", _holdings, permission="query-funds"))
    read_at = snapshots.as_of(account_id, Part.BALANCES).at
    waiting = waits(account_id, read_at)
    names = catalogue.known()
    rows = []
    for each in held:
        leaving = waiting.pop(names.asset(each.name).id, Decimal(0))
        asset = names.asset(each.name, each.usable, each.by_orders, leaving)
        rows.append(_balance(asset, each.usable, each.by_orders, leaving))
    rows += [_balance(names.asset(name, leaving), Decimal(0), Decimal(0), leaving) for name, leaving in waiting.items()]
    return sorted(rows, key=lambda row: row.asset.id)


def waits(account_id: int, read_at: datetime | None) -> dict[str, Decimal]:
    """What withdrawals hold of each asset, by its id, fees included, as of balances that were read at `read_at`.

    What was sent after that is still in those balances, whatever became of it.
    """
    rows = Withdrawal.objects.filter(account=account_id)
    is_holding = Q(step__in=HOLDING)
    if read_at is not None:
        is_holding |= Q(step=Step.ACCEPTED, sent_at__gte=read_at)
    held: dict[str, Decimal] = defaultdict(Decimal)
    for asset, units, decimals in rows.filter(is_holding).values_list("asset", "amount_units", "decimals"):
        held[asset] += from_units(units, decimals)
    return dict(held)


def worth(account_id: int, name: str) -> TradeBalance:
    """What all of it is worth in that asset by the exchange's word, what withdrawals hold included.

    Raises: UnknownAsset; Unavailable.
    """
    asset = catalogue.asset(name)
    question = Question("TradeBalance", _worth, {"asset": asset.id}, permission="query-open-trades", fresh=WORTH_FRESH)
    part = f"{Part.WORTH} {asset.id}"
    try:
        equivalent, free, unexecuted = snapshots.kept(account_id, part, question)
    finally:
        snapshots.say(account_id, Part.WORTH, snapshots.as_of(account_id, part))
    return TradeBalance(asset, equivalent, free, unexecuted)


def _balance(asset: Asset, usable: Decimal, by_orders: Decimal, leaving: Decimal) -> Balance:
    def units(amount: Decimal) -> int:
        return int(amount.scaleb(asset.decimals))

    return Balance(asset, units(usable - leaving), units(by_orders), units(leaving))


def _holdings(answer: object) -> list[Holding]:
    found = []
    for name, value in shapes.mapping(answer).items():
        row = shapes.mapping(value)
        lent = shapes.number(row, "credit", "0") - shapes.number(row, "credit_used", "0")
        balance, by_orders = shapes.number(row, "balance"), shapes.number(row, "hold_trade", "0")
        found.append(Holding(shapes.short(name), balance + lent, by_orders))
    return found


def _worth(answer: object) -> tuple[Decimal, Decimal, Decimal]:
    row = shapes.mapping(answer)
    equivalent = shapes.number(row, "eb")
    return equivalent, shapes.number(row, "mf", str(equivalent)), shapes.number(row, "uv", "0")
