"""The board of the inbox: where each workflow stands, and how much of it waits for the reader."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from policies.rules import Terms, policy_of
from policies.rules.stages import STAGES, Stage, stage_of
from policies.workflows import Workflow
from portal.core.display.phrases import counted
from portal.core.errors import Refused

BOARD: Final = {
    Workflow.MANAGE_ACCESS: "Access",
    Workflow.MANAGE_POLICIES: "Policies",
    Workflow.MANAGE_ADDRESSES: "Addresses",
    Workflow.INITIATE_WITHDRAWAL: "Withdrawals",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One stage of a track, by its place in the drawing."""

    css: str
    x: int


@dataclass(frozen=True, slots=True)
class Instrument:
    """Where one workflow stands, and how much of it waits for the reader. `place` counts the stages from nought."""

    label: str
    stage: str
    place: int
    note: str
    waiting: int

    @property
    def track(self) -> list[Piece]:
        """The four stages as a line draws them: past, now or still to come, each 26 units on."""
        steps = range(len(STAGES))
        looks = ["now" if step == self.place else "past" if step < self.place else "rest" for step in steps]
        return [Piece(look, 26 * step) for step, look in enumerate(looks)]


def board(views: Iterable[Workflow], policies: tuple[Terms, ...], waiting: Mapping[str, int]) -> list[Instrument]:
    """The workflows among `views`, on which the reader holds any right (security AZ-7)."""
    shown = set(views)
    return [
        _instrument(workflow, label, policies, waiting.get(workflow, 0))
        for workflow, label in BOARD.items()
        if workflow in shown
    ]


def _instrument(workflow: Workflow, label: str, policies: tuple[Terms, ...], waiting: int) -> Instrument:
    try:
        policy = policy_of(policies, workflow)
    except Refused:
        return Instrument(label, "unreadable", -1, "its policy cannot be read", waiting)
    if policy is None:
        return Instrument(label, STAGES[0], 0, "no policy", waiting)
    where = stage_of(policy)
    count = counted(len(policy.rules), "rule") if policy.rules else counted(policy.approvals, "approval")
    note = f"{count}, {'always' if policy.always else 'not always'}"
    if policy.is_locked and where is not Stage.LOCKED:
        note += ", locked"
    return Instrument(label, where, STAGES.index(where), note, waiting)
