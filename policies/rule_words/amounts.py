"""The table of effective strength by amount, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.rule_words.asked import demand_words
from policies.rule_words.names import Names
from policies.rules.strength_table import Row
from portal.core.display.markup import said, visible


@dataclass(frozen=True, slots=True)
class AmountLine:
    """One row: `since` which amount it is so, what is `asked` at the least, and where, if not in all Accounts."""

    since: str
    asked: str
    account: str
    row: Row


def amount_lines(rows: Sequence[Row], names: Names) -> tuple[AmountLine, ...]:
    """The rows as the page shows them: `any amount`, then `from 1,000 EUR`."""
    return tuple(
        AmountLine(
            f"from {said(row.amount, names.currency)}" if row.amount else "any amount",
            demand_words(row.demand, names),
            visible(row.account),
            row,
        )
        for row in rows
    )
