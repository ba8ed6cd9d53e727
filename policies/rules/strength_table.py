"""How many people a withdrawal takes by its amount: the table of effective strength, of all Accounts together (P6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from policies.rules.effective_quorum import Strength, Tier, strength_by_amount
from policies.rules.facts import Facts
from policies.rules.language import Demand


@dataclass(frozen=True, slots=True)
class Row:
    """From `amount` on, up to the next row. `account` is where it is so, if it is not so in all of them."""

    amount: Decimal
    strength: Strength
    demand: Demand
    account: str = ""

    @property
    def strength_words(self) -> str:
        """How many people can get there, beside how many the policy says where that is more."""
        return strength_words(self.strength)


def strength_words(found: Strength) -> str:
    """`3 people`; `1, not 3` where fewer can get there than the policy says."""
    if not found.people:
        return "nobody can"
    if found.is_weak:
        return f"{found.people}, not {found.expected}"
    return "1 person" if found.people == 1 else f"{found.people} people"


def weakest(strengths: Iterable[Strength]) -> Strength:
    """What is weaker than the policy says comes before what is not; then whatever the fewest people get to, and of that
    what is meant to take the most.

    A group of nobody means that nobody can get there: that is no weakness.
    """
    return min(strengths, key=_order)


def by_amount(facts: Facts) -> tuple[Row, ...]:
    """At each amount from which on something else holds, how it stands in the Account where it stands worst.

    Raises: Refused if the policy of withdrawals cannot be read.
    """
    tables = {name: strength_by_amount(facts, account_id) for account_id, name in facts.accounts.items()}
    amounts = sorted({tier.amount for tiers in tables.values() for tier in tiers})
    rows = [_worst(amount, tables) for amount in amounts]
    same = groupby(rows, key=lambda row: (row.strength, row.demand, row.account))
    return tuple(next(found) for _, found in same)


def _worst(amount: Decimal, tables: dict[str, tuple[Tier, ...]]) -> Row:
    here = {name: [tier for tier in tiers if tier.amount <= amount][-1] for name, tiers in tables.items()}
    name, tier = min(here.items(), key=lambda found: _order(found[1].strength))
    alike = len({(one.strength, one.demand) for one in here.values()}) == 1
    return Row(amount, tier.strength, tier.demand, "" if alike else name)


def _order(found: Strength) -> tuple[bool, bool, int, int]:
    return (not found.is_weak, not found.people, found.people, -found.expected)
