"""Totals of withdrawals as they slide along: what is held and what was executed within a window, by equal things."""

from collections import defaultdict, deque
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Final, TypeAlias

from policies.rules.language import INFINITE, Scope, Situation, SumOf, Window

# What withdrawals of one sum are equal in.
Place: TypeAlias = tuple[str, ...]
NOUGHT: Final = Decimal(0)
UNSAID: Final = ""
UNSAID_BY_SOME: Final = frozenset({Scope.DESTINATION, Scope.INITIATOR})


class _Total:
    """One total. What has no price that is known is counted apart: infinity could not be taken off again."""

    __slots__ = ("known", "unknown")

    def __init__(self) -> None:
        self.known = NOUGHT
        self.unknown = 0

    @property
    def value(self) -> Decimal:
        return INFINITE if self.unknown else self.known


class SlidingSums:
    """The totals of `sums`, in their order, at an instant that only ever moves on.

    What was asked counts from `hold` on, until `release`, or after `send` until its window is over. Each of these
    takes a step for each sum, whatever there was before.
    """

    def __init__(self, sums: Collection[SumOf]) -> None:
        self._totals: list[tuple[SumOf, dict[Place, _Total]]] = [(each, defaultdict(_Total)) for each in sums]
        self._by_window: dict[Window, list[tuple[SumOf, dict[Place, _Total]]]] = defaultdict(list)
        for each, totals in self._totals:
            self._by_window[each.window].append((each, totals))
        self._is_any_unsaid = False
        self._sent: dict[Window, deque[tuple[datetime, Situation]]] = {window: deque() for window in self._by_window}

    def advance(self, now: datetime) -> None:
        """Let go of what was sent more than a window ago."""
        for window, sent in self._sent.items():
            begins = now - window.length
            while sent and sent[0][0] < begins:
                self._take_off(sent.popleft()[1], self._by_window[window])

    def hold(self, asked: Situation) -> None:
        """Count it in."""
        self._is_any_unsaid = self._is_any_unsaid or UNSAID in (asked.destination, asked.initiator)
        for each, totals in self._totals:
            total = totals[_place(each, asked)]
            if asked.value.is_finite():
                total.known += asked.value
            else:
                total.unknown += 1

    def release(self, asked: Situation) -> None:
        """Count it in no longer: nothing left."""
        self._take_off(asked, self._totals)

    def send(self, asked: Situation, at: datetime) -> None:
        """Count it until its windows are over; `at` is no earlier than that of the one before."""
        for sent in self._sent.values():
            sent.append((at, asked))

    def of(self, asked: Situation) -> tuple[Decimal, ...]:
        """Each total of what is equal to `asked`, which is counted in; and of what says nothing in its place."""
        if not self._is_any_unsaid:
            return tuple(totals[_place(each, asked)].value for each, totals in self._totals)
        return tuple(_together(totals, each, asked) for each, totals in self._totals)

    def _take_off(self, asked: Situation, counted: Collection[tuple[SumOf, dict[Place, _Total]]]) -> None:
        for each, totals in counted:
            total = totals[_place(each, asked)]
            if asked.value.is_finite():
                total.known -= asked.value
            else:
                total.unknown -= 1


def _place(each: SumOf, asked: Situation) -> Place:
    return tuple(_PARTS[scope](asked) for scope in each.scope)


def _together(totals: dict[Place, _Total], each: SumOf, asked: Situation) -> Decimal:
    """What a node of a version before wrote without saying where to or by whom counts into every such sum."""
    parts = [
        {found, UNSAID} if scope in UNSAID_BY_SOME else {found}
        for scope, found in zip(each.scope, _place(each, asked), strict=True)
    ]
    counted = (totals[place] for place in product(*parts) if place in totals)
    return sum((total.value for total in counted), NOUGHT)


_PARTS: Final = {
    Scope.ASSET: lambda asked: asked.asset,
    Scope.ACCOUNT: lambda asked: asked.account,
    Scope.DESTINATION: lambda asked: asked.destination,
    Scope.INITIATOR: lambda asked: asked.initiator,
}
