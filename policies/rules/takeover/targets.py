"""What a group wants carried out, one thing that it does on the way, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from policies.rules.facts import Person, Terms
from policies.workflows import Workflow
from portal.core.display.phrases import listed

ACCESS: Final = Workflow.MANAGE_ACCESS
POLICIES: Final = Workflow.MANAGE_POLICIES
ADDRESSES: Final = Workflow.MANAGE_ADDRESSES
MONEY: Final = Workflow.INITIATE_WITHDRAWAL

# What is left of the policy of withdrawals once it is weakened: members with Execute finish alone, keys still ask.
EASED: Final = Terms(MONEY.value, 1, always=False, open_hours=72)


@dataclass(frozen=True, slots=True)
class Target:
    """A request that a group wants carried out.

    `protected`: a change to a locked policy, or another of P4's. At `least` so many approvals are needed, and for each
    of the Accounts in `frees` the asker or an approver answers by Execute; `barred`: who never approves it (P2).
    `subject`: whom the change is about. A withdrawal of an `amount`, fee included, is asked for in whatever way takes
    the fewest people; without one it is taken to ask the most that its policy could.
    """

    workflow: Workflow
    account_id: int | None = None
    protected: bool = False
    least: int = 0
    frees: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    subject: int | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done: what, who asked for it and who approved, by name. `asker` is the person who asked."""

    what: str
    by: str
    approvers: tuple[str, ...] = ()
    asker: int | None = None

    def __str__(self) -> str:
        if not self.approvers:
            return f"{self.by} {self.what}; nobody else has to agree."
        return f"{self.by} {self.what}; {listed(self.approvers)} {'approve' if self.approvers[1:] else 'approves'}."


@dataclass(frozen=True, slots=True)
class State:
    """What a group has brought about so far.

    `able`: who of it is verified and not kept out, by person. `lifted`: whose suspension it lifted. `removed`: the
    workflows whose policies are gone. `is_eased`: the policy of withdrawals asks for one approval, of who cannot
    finish alone. `resumed`: the suspended bots that it let work again. `entered`: which person it put into which group
    of Members. `has_address`: an address of its own is in the book.
    """

    able: frozenset[int]
    lifted: frozenset[int] = frozenset()
    resumed: frozenset[int] = frozenset()
    removed: frozenset[str] = frozenset()
    is_eased: bool = False
    entered: frozenset[tuple[int, int]] = frozenset()
    has_address: bool = False


Group: TypeAlias = tuple[Person, ...]


def names(people: Sequence[Person]) -> tuple[str, ...]:
    """What they are called, in that order."""
    return tuple(person.name for person in people)
