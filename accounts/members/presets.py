"""Rights before anybody holds them: in words, and in sets that fill in a form (DESIGN M2)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from policies.workflows import Right, Workflow

# Workflow, right and Account, or None for all of them: what a Grant says, before anybody holds it.
GivenRight: TypeAlias = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Preset:
    """A name for some rights, all of them for every Account: copied into a form, never referred to again."""

    key: str
    title: str
    rights: tuple[GivenRight, ...]


def _each(workflows: tuple[Workflow, ...], rights: tuple[Right, ...]) -> tuple[GivenRight, ...]:
    return tuple((workflow.value, right.value, None) for workflow in workflows for right in rights)


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


def in_words(given: Iterable[GivenRight], accounts: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    """Workflow by workflow what rights it says: `("Initiate Withdrawal", "View, Initiate on Main")`."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for workflow, right, account_id in given:
        where = "" if account_id is None else accounts.get(account_id, "an Account that is gone")
        found[workflow, where].append(right)
    lines = []
    for workflow in Workflow:
        parts = [
            ", ".join(right.title for right in Right if right in rights) + (f" on {where}" if where else "")
            for (named, where), rights in sorted(found.items())
            if named == workflow
        ]
        if parts:
            lines.append((workflow.title, "; ".join(parts)))
    return tuple(lines)
