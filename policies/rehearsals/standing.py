"""Who has answered rehearsals and who has long decided nothing, for the pages on policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.access import allows
from policies.rehearsals.history import Readiness, Rehearsal, past
from policies.rehearsals.silence import Silent, silent_approvers
from policies.rules import Facts
from policies.workflows import Right, Workflow

if TYPE_CHECKING:
    from accounts.models import Member


@dataclass(frozen=True, slots=True)
class Standing:
    """One workflow: how ready it is to be locked, its last rehearsals, and who is silent there.

    `may_rehearse`: who reads may ask for a rehearsal.
    """

    workflow: Workflow
    readiness: Readiness
    may_rehearse: bool
    last: tuple[Rehearsal, ...] = ()
    silent: tuple[Silent, ...] = ()

    @property
    def offers_lock(self) -> bool:
        """Whether the pages offer to lock its policy."""
        return self.readiness.is_ready


def of_every_workflow(member: "Member", facts: Facts) -> Mapping[str, object]:
    """What the policies page says about all four of them."""
    found, silent = past(member.organization, facts), silent_approvers(member.organization, facts)
    standings = [
        Standing(
            workflow,
            found.ready[workflow],
            allows(member, workflow, Right.INITIATE),
            tuple(one for one in found.last if one.workflow == workflow),
            tuple(one for one in silent if one.workflow == workflow),
        )
        for workflow in Workflow
    ]
    return {"standings": standings}


def of_workflow(member: "Member", facts: Facts, workflow: Workflow) -> Standing:
    """What the roll-out of one of them says."""
    found = past(member.organization, facts)
    return Standing(workflow, found.ready[workflow], allows(member, workflow, Right.INITIATE))
