"""Where a workflow stands on the way to being governed, and what its policy asks in words (DESIGN P6)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from policies.rules.cells.coverage import binds_everybody
from policies.rules.facts import Terms
from policies.rules.language import Rule
from policies.workflows import Workflow
from portal.core.display.phrases import counted


class Stage(StrEnum):
    """How far the governing of one workflow has come. Each stage holds all that the one before it does.

    - bootstrap: no policy. Members with Execute finish alone, and so do keys that may withdraw.
    - configured: a policy, which does not bind members with Execute.
    - enforced: a policy that always requires approval, or denies, whoever asks and whatever they ask.
    - locked: enforced, and only others' approval changes it (P3, P4). A policy that was locked without always
      requiring approval is still `configured`: the lock keeps it as it is, and members with Execute finish alone.
    """

    BOOTSTRAP = "bootstrap"
    CONFIGURED = "configured"
    ENFORCED = "enforced"
    LOCKED = "locked"


STAGES: Final = tuple(Stage)


def stage(approvals: int | None, always: bool, is_locked: bool = False) -> Stage:
    """The stage of a policy that says so; `approvals` None without one."""
    if approvals is None:
        return Stage.BOOTSTRAP
    if not always:
        return Stage.CONFIGURED
    return Stage.LOCKED if is_locked else Stage.ENFORCED


def stage_of(policy: Terms | None) -> Stage:
    """The stage of a workflow with this policy, or without one."""
    if policy is None:
        return Stage.BOOTSTRAP
    return stage(policy.approvals, binds_everybody(policy.rule_set), policy.is_locked)


def meaning(approvals: int | None, always: bool) -> str:
    """What a policy asks of people, in one sentence."""
    if approvals is None:
        approvals = 1
    count = counted(approvals, "approval")
    if always:
        return f"Every request waits for {count}, whoever asks."
    return f"Members with Execute finish alone; everyone else waits for {count}."


def meaning_of(approvals: int | None, *, always: bool, rules: Sequence[Rule] = ()) -> str:
    """The same of a policy with rules: these say what is asked, and whether it binds everybody."""
    if not rules:
        return meaning(approvals, always)
    says = f"{counted(len(rules), 'rule')} {'says' if len(rules) == 1 else 'say'} what is asked, the strictest of each."
    if binds_everybody(rules):
        return f"{says} Every request waits for an approval at least, or is denied, whoever asks."
    return (
        f"{says} Members with Execute finish alone where none binds them; everyone else waits for 1 approval or more."
    )


def meaning_for(workflow: Workflow, approvals: int | None, *, always: bool, rules: Sequence[Rule] = ()) -> str:
    """The same, with what it means for bots: where nothing governs withdrawals they ask nobody (DESIGN P2)."""
    says = meaning_of(approvals, always=always, rules=rules)
    is_open = approvals is None and workflow is Workflow.INITIATE_WITHDRAWAL
    return f"{says} Keys that may withdraw do so at once." if is_open else says
