"""One request as it is decided on: read once under its lock, and handed to every check from there on."""

from dataclasses import dataclass
from typing import Any

from policies import freezes, readability
from policies.changes import transitions
from policies.models import ChangeRequest
from policies.registry import Operation
from policies.rules import Asked, Facts, Need, approvals_needed, still_needed
from policies.snapshot import asking, gather


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why nothing can be said of a request but that it does not go through (R5, security CR-1).

    `trouble`: this version cannot read it, in words. It is empty of a request that was altered, of whose params nothing
    is believed.
    """

    change: ChangeRequest
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """An intact request that can be read, with all that decides about it, as of the lock under which it was loaded."""

    change: ChangeRequest
    entry: Operation[Any]
    params: Any
    facts: Facts
    asked: Asked

    def need(self) -> Need:
        """How many approvals it takes by now (R4).

        Raises: Refused if a policy that counts here cannot be read.
        """
        return still_needed(self.change.required, approvals_needed(self.asked, self.facts.policies))

    def barred(self) -> str:
        """Why nobody may agree to it as things stand; empty if nothing but approvals is missing."""
        return self.frozen() or self.entry.barred(self.change)

    def frozen(self) -> str:
        """Why it is not carried out now, although it may be rejected or taken back; empty if it is not frozen."""
        return freezes.bar(self.change, self.entry, self.params, self.facts)


def load(change: ChangeRequest) -> Case | Unfit:
    """What `change`, locked by the caller, is by now; the params are looked at only where the digest is theirs.

    Raises: NotFound if its initiator is not of its Organization.
    """
    if not transitions.is_intact(change):
        return Unfit(change)
    read = readability.read(change)
    if isinstance(read, str):
        return Unfit(change, read)
    facts = gather(change.organization, [change], bots=read.entry.shifts_power)
    return Case(change, read.entry, read.params, facts, asking(read.entry, change, facts, read.params))
