"""What can be written: a rule says when it matches, and what it then asks. Amounts bound only from below."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

# What an amount without a price that is known counts as: more than any threshold.
INFINITE: Final = Decimal("Infinity")


class Scope(StrEnum):
    """In what earlier withdrawals have to be equal to be counted into a sum."""

    ASSET = "asset"
    ACCOUNT = "account"
    DESTINATION = "destination"
    INITIATOR = "initiator"


class Window(StrEnum):
    """How far back a sum counts what was executed; what is held now counts in each."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def length(self) -> timedelta:
        """As a span of time."""
        return _LENGTHS[self]


_LENGTHS: Final = {
    Window.HOUR: timedelta(hours=1),
    Window.DAY: timedelta(hours=24),
    Window.WEEK: timedelta(days=7),
    Window.MONTH: timedelta(days=30),
}


@dataclass(frozen=True, slots=True, order=True)
class SumOf:
    """The total of all withdrawals equal in every member of `scope`, sorted, within `window`; of all with none."""

    scope: tuple[Scope, ...] = ()
    window: Window = Window.DAY


@dataclass(frozen=True, slots=True, order=True)
class AtLeast:
    """That `sum`, this request included, reaches `amount` of the Organization's currency."""

    sum: SumOf
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Among:
    """One of a list; with `outside`, none of it. `values` are sorted and each there once."""

    values: tuple[str, ...]
    outside: bool = False

    def holds(self, value: str) -> bool:
        """Whether `value` is as this says."""
        return (value in self.values) is not self.outside


@dataclass(frozen=True, slots=True, order=True)
class GroupApprovals:
    """How many of a group have to agree."""

    group: int
    count: int


@dataclass(frozen=True, slots=True)
class Rule:
    """When everything given holds, the request takes all that is asked here (DESIGN P7).

    Asked are `approvals` of all who may approve, some of `groups`, `deny`, and a delay. Given may be: an `amount`, fee
    included, that is reached; `sums` that are reached; lists of assets, Accounts (by primary key), destinations and
    initiators; that the destination has been in the book for less than `younger_hours`; that a `member` or a `key`
    asks. With `with_day_sum` the amount is reached as well by all that leaves within 24 hours together. With `always`
    the rule binds members with Execute too.
    """

    approvals: int = 0
    groups: tuple[GroupApprovals, ...] = ()
    deny: bool = False
    delay_hours: int = 0
    always: bool = True
    amount: Decimal | None = None
    with_day_sum: bool = False
    sums: tuple[AtLeast, ...] = ()
    assets: Among | None = None
    accounts: Among | None = None
    destinations: Among | None = None
    initiators: Among | None = None
    younger_hours: int | None = None
    asked_by: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it matches whatever is asked."""
        return self.condition == ANYTHING

    @property
    def condition(self) -> "Rule":
        """The same rule without what it asks."""
        return replace(self, approvals=0, groups=(), deny=False, delay_hours=0, always=True)

    def spelled_out(self) -> tuple["Rule", ...]:
        """The rules that it stands for: a tier with its sum over 24 hours is two with the same outcome."""
        if not self.with_day_sum or self.amount is None:
            return (replace(self, with_day_sum=False),)
        alone = replace(self, with_day_sum=False)
        together = replace(alone, amount=None, sums=tuple(sorted({*self.sums, AtLeast(SumOf(), self.amount)})))
        return (alone, together)

    def all_sums(self) -> frozenset[SumOf]:
        """The sums that have to be known before it can be said whether it matches."""
        return frozenset(each.sum for rule in self.spelled_out() for each in rule.sums)


ANYTHING: Final = Rule()


def plain_rule(approvals: int, *, always: bool) -> Rule:
    """The rule that a policy of one number is (DESIGN P1)."""
    return Rule(approvals=approvals, always=always)
