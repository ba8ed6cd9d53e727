"""Which requests rules cannot tell apart: the thresholds and lists of all of them cut what can be asked into cells."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, TypeAlias

from policies.replay.moments import Moment
from policies.rules.language import Among, Rule, Situation, SumOf

# Where an amount, sums and an age stand among the thresholds, and what is named of the rest: alike on one cell.
Cell: TypeAlias = tuple[object, ...]
# Stands for everything that no rule names; no value of a list is empty.
UNNAMED: Final = ""


class Cells:
    """The common cut of several sets of rules; `sums` are those that they look at."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        spelled = [each for rule in rules for each in rule.spelled_out()]
        self.sums: tuple[SumOf, ...] = tuple(sorted({each.sum for rule in spelled for each in rule.sums}))
        self._amounts = sorted({rule.amount for rule in spelled if rule.amount is not None})
        self._ages = sorted({rule.younger_hours for rule in spelled if rule.younger_hours is not None})
        self._totals = [
            sorted({each.amount for rule in spelled for each in rule.sums if each.sum == sum_of})
            for sum_of in self.sums
        ]
        self._assets = _named(rule.assets for rule in spelled)
        self._accounts = _named(rule.accounts for rule in spelled)
        self._destinations = _named(rule.destinations for rule in spelled)
        self._initiators = _named(rule.initiators for rule in spelled)

    def of(self, moment: Moment) -> Cell:
        """The cell of a past withdrawal at that moment."""
        known = moment.past.situation
        return (
            bisect_right(self._amounts, known.value),
            bisect_right(self._ages, moment.age_hours),
            *map(bisect_right, self._totals, moment.totals),
            known.asset if known.asset in self._assets else UNNAMED,
            known.account if known.account in self._accounts else UNNAMED,
            known.destination if known.destination in self._destinations else UNNAMED,
            known.initiator if known.initiator in self._initiators else UNNAMED,
        )

    def situation(self, moment: Moment) -> Situation:
        """The same as rules see it, with its sums: stands for all of its cell that the same one asked for."""
        known = moment.past.situation
        return Situation(
            value=known.value,
            sums=dict(zip(self.sums, moment.totals, strict=True)),
            asset=known.asset,
            account=known.account,
            destination=known.destination,
            age_hours=moment.age_hours,
            initiator=known.initiator,
        )


def _named(lists: Iterable[Among | None]) -> frozenset[str]:
    return frozenset(value for among in lists if among is not None for value in among.values)
