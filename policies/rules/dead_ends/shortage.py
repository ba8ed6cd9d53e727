"""One place in which too few could approve, and how that is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from policies.rules.facts import NEVER
from policies.rules.language import ANYTHING, Rule
from policies.workflows import Workflow

Who: TypeAlias = tuple[str, int]
# The place of a shortage of everybody who could ask.
ANYBODY: Final[Who] = ("anybody", 0)


@dataclass(frozen=True, slots=True)
class Shortage:
    """`missing` approvers too few for what `initiator` may ask in `workflow` (of `account`, where it has one).

    With a `group` it is that many of its members who are missing. `cell` is the case in which so many are needed, as a
    rule that asks nothing.
    """

    workflow: Workflow
    account_id: int | None
    account: str
    who: Who
    initiator: str
    needed: int
    missing: int
    nobody_asks: bool = False
    group: int | None = None
    group_name: str = ""
    cell: Rule = ANYTHING

    @property
    def place(self) -> tuple[Workflow, int | None, Who, int | None, Rule]:
        """By what the same shortage is found again after a change: workflow, Account, who asks, group and cell."""
        return (self.workflow, self.account_id, self.who, self.group, self.cell)

    def __str__(self) -> str:
        where = f" from {self.account}" if self.account else ""
        if self.needed >= NEVER:
            return f"{self.workflow.title}{where}: its policy cannot be read."
        if self.nobody_asks:
            return f"Nobody would be left who may ask for anything in {self.workflow.title}."
        asked = "approval" if self.needed == 1 else "approvals"
        if self.group_name:
            asked = f"of {self.group_name}"
        return (
            f"{self.workflow.title}{where}{''.join(_amounts(self.cell))}, asked by {self.initiator}, would need "
            f"{self.needed} {asked}, and {self.missing} "
            f"{'approver is' if self.missing == 1 else 'approvers are'} missing."
        )


def _amounts(cell: Rule) -> Iterator[str]:
    """From what amounts on it is short, as far as it is a matter of these."""
    if cell.amount is not None:
        yield f" of {cell.amount:,f} or more"
    for each in cell.sums:
        yield f" where {each.amount:,f} or more leave within {each.sum.window}"
    if cell.younger_hours is not None:
        yield f" to an address younger than {cell.younger_hours} hours"
