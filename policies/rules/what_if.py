"""What pages ask before anything is proposed: who could approve if X asked, what a policy would change, what hinders a
lock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from policies.rules.dead_ends import PROTECTED, Shortage, worse
from policies.rules.eligibility import Reason, eligible, is_met, members, why_not
from policies.rules.facts import Bot, Facts, Initiator, Person, Terms
from policies.rules.quorum import Asked, Need, approvals_needed, is_locked, policy_of
from policies.workflows import Right, Workflow


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would come of it if `asked` were asked: `people` hold Approve there, each with why they do not count."""

    asked: Asked
    need: Need
    people: tuple[tuple[Person, Reason | None], ...]
    is_possible: bool

    @property
    def able(self) -> tuple[Person, ...]:
        """Who of them could approve it."""
        return tuple(person for person, reason in self.people if reason is None)

    @property
    def missing(self) -> int:
        """How many more would have to be able to approve, of all or of a group; 0 may lack who answers for Withdraw."""
        return max(0, -self.spare)

    @property
    def spare(self) -> int:
        """How many of them could be away, whoever they are; below nought too few are there."""
        of_groups = (len(members(self.able, group)) - count for group, count in self.need.groups)
        return min((len({person.user_id for person in self.able}) - self.need.approvals, *of_groups))


def prospect(
    facts: Facts, initiator: Initiator, workflow: Workflow, account_id: int | None = None, *, protected: bool = False
) -> Prospect:
    """Who could approve if `initiator` asked for something in `workflow`; `protected`: for one of P4's changes.

    A Bot is asked for as it asks through `bot.through(key_id)`, or with the custodians of all its live keys together.

    Raises: Refused if the policy cannot be read.
    """
    asked = Asked(
        workflow,
        initiator,
        account_id,
        money=workflow is Workflow.INITIATE_WITHDRAWAL,
        protected=protected and workflow in PROTECTED and is_locked(facts.policies),
    )
    need = approvals_needed(asked, facts.policies)
    people = tuple(
        (person, why_not(person, asked, facts.level))
        for person in facts.people
        if person.is_active and person.holds(workflow, Right.APPROVE, account_id)
    )
    return Prospect(asked, need, people, is_met(need, eligible(asked, facts), asked))


def possible_initiators(facts: Facts, workflow: Workflow, account_id: int | None = None) -> Iterator[Initiator]:
    """Everybody for whom a page can show a `prospect`: Members who may initiate, and bots that may withdraw."""
    yield from (person for person in facts.people if person.may_initiate(workflow, account_id))
    if workflow is Workflow.INITIATE_WITHDRAWAL:
        yield from (bot for bot in facts.bots if bot.may_withdraw and bot.account_id == account_id)


def with_policy(facts: Facts, workflow: Workflow, terms: Terms | None) -> Facts:
    """The same Organization if `workflow` had this policy, or none: for before and after."""
    others = tuple(policy for policy in facts.policies if policy.workflow != workflow)
    return replace(facts, policies=(*others, terms) if terms is not None else others)


def locked(facts: Facts, workflow: Workflow) -> Facts:
    """The same Organization if the policy of `workflow` were locked; unchanged without one.

    Raises: Refused if the policy cannot be read.
    """
    policy = policy_of(facts.policies, workflow)
    return with_policy(facts, workflow, replace(policy, is_locked=True)) if policy is not None else facts


def hindrances(before: Facts, after: Facts) -> tuple[Shortage, ...]:
    """The shortages for which a change from `before` to `after` would be refused, the largest first."""
    return tuple(sorted(worse(before, after), key=lambda shortage: -shortage.missing))


def custodians_of(bot: Bot, facts: Facts) -> tuple[Person, ...]:
    """The Members who ever held the power of one of its live keys."""
    return tuple(person for person in facts.people if person.user_id in bot.custodians)
