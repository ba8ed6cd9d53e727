"""Sets of rights that fill in a form (DESIGN M2)."""

from dataclasses import dataclass
from typing import Final

from accounts.grants import Given, Rights
from policies.workflows import Right, Workflow


@dataclass(frozen=True, slots=True)
class Preset:
    """A name for some rights, all of them for every Account: copied into a form, never referred to again."""

    key: str
    title: str
    rights: Rights


def _each(workflows: tuple[Workflow, ...], rights: tuple[Right, ...]) -> Rights:
    return tuple(Given(workflow, right) for workflow in workflows for right in rights)


_EVERYWHERE: Final = tuple(Workflow)
_MONEY: Final = (Workflow.MANAGE_ADDRESSES, Workflow.INITIATE_WITHDRAWAL)

PRESETS: Final = (
    Preset(
        "admin",
        "Admin",
        _each((Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES), (Right.VIEW, Right.INITIATE, Right.APPROVE)),
    ),
    Preset("treasurer", "Treasurer", _each(_MONEY, (Right.VIEW, Right.INITIATE))),
    Preset("approver", "Approver", _each(_EVERYWHERE, (Right.VIEW, Right.APPROVE))),
    Preset("auditor", "Auditor", _each(_EVERYWHERE, (Right.VIEW,))),
)


def preset(key: str) -> Preset | None:
    """The preset of that key; None for any other text."""
    return next((found for found in PRESETS if found.key == key), None)
