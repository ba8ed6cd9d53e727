"""What an operator is told of a venue: how much is on its way there, and how much people have to know of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

# How far a withdrawal is that another exchange carries out, as long as it is not known to be done or given back.
STEPS: Final = ("intended", "sending", "lost", "unknown")
# What an alarm is about.
ALARMS: Final = (
    "stopped",
    "credential-changed",
    "foreign-withdrawal",
    "unknown-withdrawal",
    "address-drift",
    "ledger",
    "credential-expiring",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many withdrawals are at each step, and how many alarms of each kind nobody has acknowledged."""

    withdrawals: Mapping[str, int] = field(default_factory=dict)
    alarms: Mapping[str, int] = field(default_factory=dict)


class Standings(Protocol):
    """What is asked of every venue for its operator."""

    def standing(self) -> Standing:
        """Of all Accounts together, in two statements at most."""
