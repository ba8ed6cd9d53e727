"""What holds in an Organization whichever road a group takes: who holds what, and who carries what is asked through."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from policies.rules.facts import NEVER, Bot, Facts, Held, Initiator, Key, Person, Terms
from policies.rules.quorum import Asked, approvals_needed, is_locked
from policies.workflows import Right, Workflow
from portal.core.display.phrases import listed
from portal.core.errors import Refused

ACCESS: Final = Workflow.MANAGE_ACCESS
POLICIES: Final = Workflow.MANAGE_POLICIES
ADDRESSES: Final = Workflow.MANAGE_ADDRESSES
MONEY: Final = Workflow.INITIATE_WITHDRAWAL
# What somebody holds who asks like that. A reviewer and a lifter ask by their Approve, as Manage Access lets them.
_RIGHTS: Final = {
    "executes": Right.EXECUTE,
    "initiates": Right.INITIATE,
    "lifts": Right.APPROVE,
    "reviews": Right.APPROVE,
}

# What is left of the policy of withdrawals once it is weakened: members with Execute finish alone, keys still ask.
EASED: Final = Terms(MONEY.value, 1, always=False, open_hours=72)


@dataclass(frozen=True, slots=True)
class Target:
    """A request that a group wants carried out.

    `protected`: a change to a locked policy, or another of P4's. At `least` so many approvals are needed, and for each
    of the Accounts in `frees` the asker or an approver answers by Execute; `barred`: who never approves it (P2).
    """

    workflow: Workflow
    account_id: int | None = None
    protected: bool = False
    least: int = 0
    frees: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done: what, who asked for it and who approved, by name. `asker` is the person who asked."""

    what: str
    by: str
    approvers: tuple[str, ...] = ()
    asker: int | None = None

    def __str__(self) -> str:
        if not self.approvers:
            return f"{self.by} {self.what}; nobody else has to agree."
        return f"{self.by} {self.what}; {listed(self.approvers)} {'approve' if self.approvers[1:] else 'approves'}."


@dataclass(frozen=True, slots=True)
class State:
    """What a group has brought about so far.

    `able`: who of it is verified and not kept out, by person. `lifted`: whose suspension it lifted. `removed`: the
    workflows whose policies are gone. `is_eased`: the policy of withdrawals asks for one approval, of who cannot
    finish alone. `resumed`: the suspended bots that it let work again.
    """

    able: frozenset[int]
    lifted: frozenset[int] = frozenset()
    resumed: frozenset[int] = frozenset()
    removed: frozenset[str] = frozenset()
    is_eased: bool = False


Group: TypeAlias = tuple[Person, ...]


class Ground:
    """One Organization, and a request that somebody in it wants carried out.

    Whoever comes back by the clock is there; whoever is kept out has to be let in again first.
    """

    def __init__(self, facts: Facts, target: Target) -> None:
        self.facts = facts
        self.target = target
        self.people = tuple(person.back for person in facts.people if person.back.is_active or person.is_kept_out)
        # Whoever holds any key that may withdraw does not approve that it may at once.
        self.withdrawing = tuple(bot for bot in facts.bots if replace(bot, is_active=True).may_withdraw)
        self.keys = tuple(key for bot in self.withdrawing for key in bot.through_each())
        here = (bot for bot in self.keys if bot.account_id == target.account_id)
        self.bots = tuple(here) if target.workflow is MONEY else ()
        self.suspended = tuple(
            bot
            for bot in self.withdrawing
            if not bot.is_active and target.workflow is MONEY and bot.account_id == target.account_id
        )
        self._needs: dict[tuple[frozenset[str], bool, Target, str], int] = {}
        self._locks: dict[tuple[frozenset[str], bool, Workflow | None], bool] = {}
        self._holders: dict[tuple[Workflow, Right, int | None], frozenset[int]] = {}

    def carry(
        self, group: Group, state: State, what: str, target: Target, *, approvers_ask: bool = False
    ) -> Step | None:
        """How the group carries such a request through: somebody asks, and enough of the others approve."""
        kinds = ("executes", "initiates", *(("lifts",) if approvers_ask else ()))
        for person in group:
            who = next((kind for kind in kinds if person.user_id in self.holding(target, _RIGHTS[kind])), None)
            if person.user_id in state.able and who is not None:
                approving = self._agree(group, state, target, person, self.need(state, target, who))
                if approving is not None:
                    return Step(what, person.name, names(approving), person.user_id)
        return None

    def _agree(self, group: Group, state: State, target: Target, asker: Person, number: int) -> Group | None:
        """Those of the group who approve what `asker` asks, or None if they do not suffice."""
        able = self.approvers(group, state, target, {asker.user_id, *target.barred})
        answering: list[Person] = []
        for account_id in sorted(target.frees):
            answers = self.holding(Target(MONEY, account_id), Right.EXECUTE)
            if asker.user_id not in answers:
                answering += [person for person in able if person.user_id in answers][:1] or [asker]
        if asker in answering or len(able) < number:
            return None
        chosen = tuple(dict.fromkeys(answering))
        rest = [person for person in able if person not in chosen]
        return (*chosen, *rest[: max(0, number - len(chosen))])

    def approvers(self, group: Group, state: State, target: Target, without: Set[int]) -> Group:
        """Who of the group may approve it."""
        able = (self.holding(target, Right.APPROVE) & state.able) - without
        return tuple(person for person in group if person.user_id in able)

    def holding(self, target: Target, right: Right) -> frozenset[int]:
        """All who hold `right` where the target is, by person."""
        place = (target.workflow, right, target.account_id)
        if place not in self._holders:
            holders = (person.user_id for person in self.people if person.holds(*place))
            self._holders[place] = frozenset(holders)
        return self._holders[place]

    def is_locked(self, state: State, workflow: Workflow | None = None) -> bool:
        """Whether the policy of `workflow`, or any, is still there and locked."""
        known = (state.removed, state.is_eased, workflow)
        if known not in self._locks:
            self._locks[known] = is_locked(self._policies(state), workflow)
        return self._locks[known]

    def works(self, state: State, bot: Bot) -> bool:
        """Whether that bot may withdraw by now, its suspension lifted if it had one."""
        return bot.is_active or bot.service_user_id in state.resumed

    def left(self, state: State) -> Iterator[Workflow]:
        """The workflows that still have a policy."""
        governed = {terms.workflow for terms in self.facts.policies} - state.removed
        yield from (workflow for workflow in Workflow if workflow in governed)

    def removal(self, state: State, workflow: Workflow) -> Target:
        """What it asks to remove the policy of `workflow`: of withdrawals, what giving keys that power asks (P2)."""
        freed = [bot for bot in self.withdrawing if self.works(state, bot)] if workflow is MONEY else []
        return Target(
            POLICIES,
            protected=self.is_locked(state, None if freed else workflow),
            frees=frozenset(bot.account_id for bot in freed),
            barred=frozenset().union(*(bot.custodians for bot in freed)),
        )

    def need(self, state: State, target: Target, who: str) -> int:
        """What `policies.rules.quorum` asks of somebody like that; looked up once for each kind."""
        known = (state.removed, state.is_eased, target, who)
        if known not in self._needs:
            asked = Asked(
                target.workflow,
                _like(who, target),
                target.account_id,
                protected=target.protected,
                alone=who == "reviews",
                least=target.least,
            )
            try:
                self._needs[known] = approvals_needed(asked, self._policies(state)).approvals
            except Refused:
                self._needs[known] = NEVER
        return self._needs[known]

    def _policies(self, state: State) -> tuple[Terms, ...]:
        left = tuple(terms for terms in self.facts.policies if terms.workflow not in state.removed)
        return tuple(EASED if state.is_eased and terms.workflow == MONEY else terms for terms in left)


def _like(who: str, target: Target) -> Initiator:
    if who == "bot":
        return Bot(0, "", target.account_id or 0, asking=Key(0))
    return Person(0, 0, "", grants=frozenset({Held(target.workflow, _RIGHTS[who])}))


def names(people: Sequence[Person]) -> tuple[str, ...]:
    """What they are called, in that order."""
    return tuple(person.name for person in people)
