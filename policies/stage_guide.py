"""Where a workflow stands, and the way from no policy to a locked one, each step looked at before it is taken (P6)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from policies.rules import Facts, Terms, policy_of
from policies.rules.cells.comparison import compare
from policies.rules.dead_ends import Shortage
from policies.rules.effective_quorum import Strength, Target, strength
from policies.rules.spare_approvers import spare_people
from policies.rules.stages import Stage, stage_of
from policies.rules.strength_table import Row, by_amount, strength_words, weakest
from policies.rules.what_if import hindrances, with_policy
from policies.workflows import Workflow

OPEN_HOURS: Final = 72


@dataclass(frozen=True, slots=True)
class Outlook:
    """One workflow as it stands, or as it would: of several Accounts the worst counts.

    `spare` is how many people could be lost before it stops, below nought if it has stopped, None if it needs nobody.
    `rows` is the table by amount, where the policy of withdrawals is a set of rules; `strength` its weakest row.
    """

    workflow: Workflow
    policy: Terms | None
    stage: Stage
    spare: int | None
    strength: Strength
    rows: tuple[Row, ...] = ()

    @property
    def is_weak(self) -> bool:
        """Whether fewer people could carry a request out than the policy says."""
        return self.strength.is_weak

    @property
    def is_tight(self) -> bool:
        """Whether nobody may be missing."""
        return self.spare is not None and self.spare < 1

    @property
    def is_low(self) -> bool:
        """Whether someone has to say that they know."""
        return self.is_weak or self.is_tight

    @property
    def spare_words(self) -> str:
        """How many people could be away, as the board says it."""
        if self.spare is None:
            return "needs nobody"
        return "stopped" if self.spare < 0 else str(self.spare)

    @property
    def strength_words(self) -> str:
        """How many people can get there, beside how many the policy says where that is more; of rules at the worst."""
        words = strength_words(self.strength)
        return f"{words} at least" if len(self.rows) > 1 and not self.is_weak else words


def outlook(facts: Facts, workflow: Workflow) -> Outlook:
    """Where `workflow` stands.

    Raises: Refused if its policy cannot be read.
    """
    policy = policy_of(facts.policies, workflow)
    accounts: tuple[int | None, ...] = tuple(facts.accounts) if workflow.by_account else (None,)
    spares = [spare_people(facts, workflow, account_id) for account_id in accounts]
    counted = [spare for spare in spares if spare is not None]
    spare, stage = min(counted, default=None), stage_of(policy)
    if workflow is Workflow.INITIATE_WITHDRAWAL and policy is not None and policy.rules and facts.accounts:
        rows = by_amount(facts)
        return Outlook(workflow, policy, stage, spare, weakest(row.strength for row in rows), rows)
    strengths = [strength(facts, Target(workflow, account_id)) for account_id in accounts]
    # A group of nobody means that nobody can get there: that is no weakness.
    least = min(strengths, key=lambda found: found.people or len(facts.people) + 1)
    return Outlook(workflow, policy, stage, spare, least)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a policy would change: how the workflow stands before and after, and which dead ends it would meet (P5)."""

    before: Outlook
    after: Outlook
    hindrances: tuple[Shortage, ...]

    @property
    def needs_acknowledgement(self) -> bool:
        """What would be refused needs no word of anybody."""
        return self.after.is_low and not self.hindrances

    @property
    def spare_words(self) -> str:
        """`now 1; then 2`, or `1, as now`."""
        return _turn(self.before.spare_words, self.after.spare_words)

    @property
    def strength_words(self) -> str:
        """As with spare people."""
        return _turn(self.before.strength_words, self.after.strength_words)


def _turn(before: str, after: str) -> str:
    return f"{after}, as now" if before == after else f"now {before}; then {after}"


def effect(facts: Facts, workflow: Workflow, terms: Terms | None, *, before: Outlook | None = None) -> Effect:
    """What it would change if `workflow` had this policy, or none; `before` is how it stands, where that is known.

    Raises: Refused if a policy that counts here cannot be read.
    """
    changed = with_policy(facts, workflow, terms)
    return Effect(before or outlook(facts, workflow), outlook(changed, workflow), hindrances(facts, changed))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a roll-out. `is_now`: the next one, if nothing hinders it."""

    stage: Stage
    terms: Terms
    effect: Effect
    is_done: bool
    is_now: bool

    @property
    def is_blocked(self) -> bool:
        """Whether something stands in its way as things are."""
        return not self.is_done and bool(self.effect.hindrances)


def steps(facts: Facts, workflow: Workflow, approvals: int) -> tuple[Step, ...]:
    """The steps to a locked policy of `approvals`, against the people there are now.

    Raises: Refused if a policy that counts here cannot be read.
    """
    policy, stands = policy_of(facts.policies, workflow), outlook(facts, workflow)
    found: list[Step] = []
    for terms in _plan(policy, workflow, approvals):
        is_done = _is_reached(policy, terms)
        is_now = not is_done and all(step.is_done for step in found)
        found.append(Step(stage_of(terms), terms, effect(facts, workflow, terms, before=stands), is_done, is_now))
    return tuple(found)


def _plan(policy: Terms | None, workflow: Workflow, approvals: int) -> Iterator[Terms]:
    hours = policy.open_hours if policy else OPEN_HOURS
    configured = Terms(workflow, approvals, always=False, open_hours=hours)
    yield configured
    yield replace(configured, always=True)
    yield replace(configured, always=True, is_locked=True)


def _is_reached(policy: Terms | None, wanted: Terms) -> bool:
    """Whether the policy asks for all that is wanted, in whatever case."""
    if policy is None or compare(wanted.rule_set, policy.rule_set).weaker:
        return False
    return policy.is_locked >= wanted.is_locked
