"""What is frozen, and what a freeze stops (DESIGN §4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from portal.core.display.phrases import dated


@dataclass(frozen=True, slots=True)
class Frozen:
    """A freeze that runs: of a workflow, or only of an Account of it, or only of one destination of that Account.

    `label` names it; `by` froze it, for `reason`.
    """

    freeze_id: int
    workflow: str
    account_id: int | None
    destination: str
    label: str
    by: str
    reason: str
    until: datetime

    def covers(self, workflow: str, account_id: int | None, destination: str = "") -> bool:
        """Whether it stops what is asked there. What is not known to go there is stopped by what is wider alone."""
        return (
            self.workflow == workflow
            and self.account_id in (None, account_id)
            and self.destination in ("", destination)
        )

    @property
    def words(self) -> str:
        """Why something is not asked, approved or carried out now."""
        return (
            f"{self.label} is frozen until {dated(self.until)} UTC. Nothing is asked, approved or carried out there "
            f"meanwhile. {self.by} froze it: {self.reason}"
        )


def frozen_by(freezes: Iterable[Frozen], workflow: str, account_id: int | None, destination: str = "") -> Frozen | None:
    """The freeze that stops what is asked there, of several the one that lasts longest; None where none does."""
    stopping = (freeze for freeze in freezes if freeze.covers(workflow, account_id, destination))
    return max(stopping, key=lambda freeze: freeze.until, default=None)
