"""What an Account has lent at its exchange."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from portal.core.errors import Unavailable
from portal.venues.errors import UnknownStrategy
from portal.venues.kraken.reading import catalogue, shapes, snapshots
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import OtherShape, Row
from portal.venues.kraken.reading.snapshots import NotAnswered, Question
from portal.venues.kraken.upstream.outcomes import Meaning, meaning
from portal.venues.types import Allocation, Asset, EarnOperation, LockType, Maturing, Part, Payout, Strategy

PERMISSION: Final = "query-funds"
# Strategies come and go by days.
STRATEGIES_FRESH: Final = timedelta(hours=1)
STATUS: Final = {
    EarnOperation.ALLOCATE: "Earn/AllocateStatus",
    EarnOperation.DEALLOCATE: "Earn/DeallocateStatus",
}
NO_STRATEGY: Final = "The exchange has no such strategy."
NOTHING: Final = Decimal(0)


def allocations(account_id: int) -> Sequence[Allocation]:
    """One for each strategy that something is in, in the exchange's order. Raises: Unavailable."""
    question = Question("Earn/Allocations", _items, {"hide_zero_allocations": True}, permission=PERMISSION)
    rows = snapshots.kept(account_id, Part.ALLOCATIONS, question)
    try:
        offered = snapshots.kept(
            account_id, "strategies", Question("Earn/Strategies", _offered, fresh=STRATEGIES_FRESH)
        )
    except Unavailable:
        # Without their conditions; what is lent is known all the same.
        offered = []
    names = catalogue.known()
    strategies = {shapes.text(row, "id"): row for row in offered}
    return [_allocation(row, strategies.get(shapes.text(row, "strategy_id"), {}), names) for row in rows]


def is_pending(account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
    """Whether the last operation is still under way. Raises: UnknownStrategy; Unavailable."""
    question = Question(STATUS[operation], _pending, {"strategy_id": strategy_id}, permission=PERMISSION)
    try:
        return snapshots.asked(account_id, Part.ALLOCATIONS, question)
    except NotAnswered as error:
        if meaning(error.errors) is Meaning.REFUSED:
            raise UnknownStrategy(NO_STRATEGY) from error
        raise


def _pending(answer: object) -> bool:
    return shapes.flag(shapes.mapping(answer), "pending")


def _items(answer: object) -> list[Row]:
    rows = shapes.listed(shapes.part_of(answer, "items"))
    for row in rows:
        _allocation(row, {}, Names())
    return rows


def _offered(answer: object) -> list[Row]:
    rows = shapes.listed(shapes.part_of(answer, "items"))
    for row in rows:
        _strategy(shapes.text(row, "id"), row, Asset("", "", "", 0, 0))
    return rows


def _allocation(row: Row, offered: Row, names: Names) -> Allocation:
    parts = shapes.mapping(shapes.part_of(row, "amount_allocated"))
    total, rewarded = _native(parts, "total"), _native(row, "total_rewarded")
    payout = row.get("payout")
    amounts = [total, rewarded, _native(parts, "pending"), *_digits(parts, payout)]
    asset = names.asset(shapes.text(row, "native_asset"), *amounts)
    return Allocation(
        strategy=_strategy(shapes.text(row, "strategy_id"), offered, asset),
        total_units=_units(total, asset),
        bonding=_maturing(parts, "bonding", asset),
        unbonding=_maturing(parts, "unbonding", asset) + _maturing(parts, "exit_queue", asset),
        pending_units=_units(_native(parts, "pending"), asset),
        rewarded_units=_units(rewarded, asset),
        payout=_payout(shapes.mapping(payout), asset) if payout is not None else None,
    )


def _strategy(strategy_id: str, row: Row, asset: Asset) -> Strategy:
    """With nothing for what the exchange does not say; `row` is empty where it offers the strategy no more."""
    lock = shapes.mapping(row.get("lock_type") or {})
    apr = shapes.mapping(row.get("apr_estimate") or {})
    kinds = {kind.value: kind for kind in LockType}
    return Strategy(
        id=strategy_id,
        asset=asset,
        lock=kinds.get(shapes.text(lock, "type", ""), LockType.FLEX),
        apr=shapes.number(apr, "low", "0"),
        payout_every=_seconds(lock, "payout_frequency"),
        bonding=_seconds(lock, "bonding_period"),
        unbonding=_seconds(lock, "unbonding_period"),
        minimum=shapes.number(row, "user_min_allocation", "0"),
        maximum=shapes.number(row, "user_cap", "0"),
    )


def _digits(parts: Row, payout: object) -> list[Decimal]:
    """Every amount that is told beside the totals, so that none of them loses a digit."""
    found = [
        shapes.number(each, "native") for name in ("bonding", "unbonding", "exit_queue") for each in _each(parts, name)
    ]
    if payout is not None:
        found += [_native(shapes.mapping(payout), name) for name in ("accumulated_reward", "estimated_reward")]
    return found


def _maturing(parts: Row, name: str, asset: Asset) -> tuple[Maturing, ...]:
    return tuple(
        Maturing(_units(shapes.number(each, "native"), asset), _at(each, "created_at"), _at(each, "expires"))
        for each in _each(parts, name)
    )


def _each(parts: Row, name: str) -> list[Row]:
    state = parts.get(name)
    return shapes.listed(shapes.mapping(state).get("allocations") or []) if state is not None else []


def _payout(row: Row, asset: Asset) -> Payout:
    return Payout(
        starts_at=_at(row, "period_start"),
        ends_at=_at(row, "period_end"),
        accrued_units=_units(_native(row, "accumulated_reward"), asset),
        estimated_units=_units(_native(row, "estimated_reward"), asset),
    )


def _native(row: Row, name: str) -> Decimal:
    value = row.get(name)
    return NOTHING if value is None else shapes.number(shapes.mapping(value), "native", "0")


def _units(amount: Decimal, asset: Asset) -> int:
    return int(amount.scaleb(asset.decimals))


def _seconds(row: Row, name: str) -> timedelta:
    try:
        return timedelta(seconds=shapes.whole(row, name, 0))
    except OverflowError as error:
        raise OtherShape("no stretch of time") from error


def _at(row: Row, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(shapes.text(row, name))
    except ValueError as error:
        raise OtherShape("no time") from error
    if found.tzinfo is None:
        raise OtherShape("no time")
    return found
