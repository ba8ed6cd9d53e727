"""Lending to strategies (reference §12). Both operations are asynchronous, one at a time for each strategy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from portal.api.call import Caller
from portal.api.protocol.envelope import JSON
from portal.api.protocol.parameter_types import Flag, Names, Size, Text, Whole
from portal.api.protocol.parameters import needed, optional
from portal.core.money import plain, wire
from portal.treasury import expired_holds
from portal.venues.types import Allocation, EarnOperation, LockType, Maturing, Payout, Strategy

LOCK_TYPES: Final = ("flex", "bonded", "timed", "instant")
WORTH_PLACES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategies:
    asset: str = optional(Text(), "", "Only strategies for this asset.")
    lock_type: tuple[str, ...] = optional(Names(words=LOCK_TYPES), (), "Only strategies of these kinds.")
    ascending: bool = optional(Flag(), default=False, text="Smallest rate first.")
    cursor: str = optional(Text(), "", "All are on one page, so there is nothing to go on from.")
    limit: int = optional(Whole(1, 500), 500, "All are on one page.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocations:
    ascending: bool = optional(Flag(), default=False, text="Smallest worth first.")
    converted_asset: str = optional(Text(), "USD", "The asset that amounts are also given in.")
    hide_zero_allocations: bool = optional(Flag(), default=False, text="Leave out what holds nothing now.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    strategy_id: str = needed(Text(longest=40), "The strategy.")
    amount: Decimal = needed(Size(), "How much, in the asset of the strategy.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    strategy_id: str = needed(Text(longest=40), "The strategy.")


class Converted:
    """Says amounts twice: in their asset, and what they are worth in another."""

    def __init__(self, caller: Caller, into: str) -> None:
        self.venue = caller.venue
        self.asset = caller.venue.asset(into)

    def worth(self, strategy: Strategy, units: int) -> Decimal:
        """What whole `units` of the strategy's asset are worth in the asset that was asked for."""
        return self.venue.convert(strategy.asset.id, units, self.asset.id)

    def both(self, strategy: Strategy, units: int) -> dict[str, JSON]:
        """The amount in the two assets, as the protocol writes it."""
        return {
            "native": wire(units, strategy.asset.decimals),
            "converted": f"{self.worth(strategy, units):.{WORTH_PLACES}f}",
        }


def strategies(caller: Caller, parameters: Strategies) -> JSON:
    """What can be lent to. Raises: UnknownAsset."""
    rows = [
        row
        for row in caller.venue.strategies(parameters.asset)
        if not parameters.lock_type or row.lock.value in parameters.lock_type
    ]
    rows.sort(key=lambda row: (row.apr, row.id), reverse=not parameters.ascending)
    return {"items": [_strategy(row) for row in rows], "next_cursor": None}


def allocations(caller: Caller, parameters: Allocations) -> JSON:
    """What the Account has lent, and what that brought. Raises: UnknownAsset."""
    converted = Converted(caller, parameters.converted_asset)
    rows = [
        row
        for row in caller.venue.allocations(caller.account_id)
        if row.total_units or row.pending_units or not parameters.hide_zero_allocations
    ]
    rows.sort(key=lambda row: converted.worth(row.strategy, row.total_units), reverse=not parameters.ascending)
    total = sum((converted.worth(row.strategy, row.total_units) for row in rows), Decimal(0))
    rewarded = sum((converted.worth(row.strategy, row.rewarded_units) for row in rows), Decimal(0))
    return {
        "converted_asset": converted.asset.altname,
        "total_allocated": f"{total:.{WORTH_PLACES}f}",
        "total_rewarded": f"{rewarded:.{WORTH_PLACES}f}",
        "items": [_allocation(row, converted) for row in rows],
        "next_cursor": None,
    }


def allocate(caller: Caller, parameters: Move) -> JSON:
    """Lend. True says that it is under way.

    Raises: UnknownStrategy, EarnBelowMinimum, EarnAboveMaximum, EarnFunds, EarnBusy.
    """
    expired_holds.release_due(caller.account_id)
    caller.venue.allocate(caller.account_id, parameters.strategy_id, parameters.amount)
    return True


def deallocate(caller: Caller, parameters: Move) -> JSON:
    """Take back. True says that it is under way. Raises: UnknownStrategy, EarnBelowMinimum, EarnFunds, EarnBusy."""
    caller.venue.deallocate(caller.account_id, parameters.strategy_id, parameters.amount)
    return True


def allocate_status(caller: Caller, parameters: Status) -> JSON:
    """Whether an allocation is under way. Raises: UnknownStrategy."""
    return _pending(caller, parameters, EarnOperation.ALLOCATE)


def deallocate_status(caller: Caller, parameters: Status) -> JSON:
    """Whether a deallocation is under way. Raises: UnknownStrategy."""
    return _pending(caller, parameters, EarnOperation.DEALLOCATE)


def _pending(caller: Caller, parameters: Status, operation: EarnOperation) -> JSON:
    return {"pending": caller.venue.earn_pending(caller.account_id, parameters.strategy_id, operation)}


def _strategy(row: Strategy) -> JSON:
    return {
        "id": row.id,
        "asset": row.asset.id,
        "lock_type": _lock(row),
        "apr_estimate": {"low": plain(row.apr), "high": plain(row.apr)},
        "user_min_allocation": plain(row.minimum),
        "user_cap": plain(row.maximum),
        "allocation_fee": "0",
        "deallocation_fee": "0",
        "auto_compound": {"type": "enabled"},
        "yield_source": {"type": "staking" if row.lock is LockType.BONDED else "off_chain"},
        "can_allocate": True,
        "can_deallocate": True,
        "allocation_restriction_info": [],
    }


def _lock(row: Strategy) -> JSON:
    """How the amount is bound; a time is named only where there is one to wait for."""
    bonded: dict[str, JSON] = {}
    if row.lock is LockType.BONDED:
        bonded = {
            "bonding_period": _seconds(row.bonding),
            "bonding_period_variable": False,
            "bonding_rewards": False,
            "unbonding_period": _seconds(row.unbonding),
            "unbonding_period_variable": False,
            "unbonding_rewards": False,
            "exit_queue_period": 0,
        }
    return {"type": row.lock.value, "payout_frequency": _seconds(row.payout_every), **bonded}


def _allocation(row: Allocation, converted: Converted) -> JSON:
    strategy = row.strategy
    amounts: dict[str, JSON] = {"total": converted.both(strategy, row.total_units)}
    for name, waiting in (("bonding", row.bonding), ("unbonding", row.unbonding)):
        if waiting:
            amounts[name] = _waiting(strategy, waiting, converted)
    if row.pending_units:
        amounts["pending"] = converted.both(strategy, row.pending_units)
    return {
        "strategy_id": strategy.id,
        "native_asset": strategy.asset.id,
        "amount_allocated": amounts,
        "total_rewarded": converted.both(strategy, row.rewarded_units),
        **({"payout": _payout(strategy, row.payout, converted)} if row.payout else {}),
    }


def _waiting(strategy: Strategy, waiting: Sequence[Maturing], converted: Converted) -> JSON:
    return {
        **converted.both(strategy, sum(each.units for each in waiting)),
        "allocation_count": len(waiting),
        "allocations": [
            {
                **converted.both(strategy, each.units),
                "created_at": each.created_at.isoformat(),
                "expires": each.expires_at.isoformat(),
            }
            for each in waiting
        ],
    }


def _payout(strategy: Strategy, payout: Payout, converted: Converted) -> JSON:
    return {
        "period_start": payout.starts_at.isoformat(),
        "period_end": payout.ends_at.isoformat(),
        "accumulated_reward": converted.both(strategy, payout.accrued_units),
        "estimated_reward": converted.both(strategy, payout.estimated_units),
    }


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
