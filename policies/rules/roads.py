"""What a group of Members can bring about together, one change after another (DESIGN P6).

Each change only ever adds to what they can do next, so it is enough to close over it instead of searching:

- whoever reviews identities verifies those of the group that are not verified yet;
- policies are removed, as soon as the group can carry such a change through;
- as soon as the group can carry through a change of access that P4 would protect, it has accomplices with every right,
  as many as it takes: invited without rights, verified, then given all of them. Where nobody of the group reviews
  identities, it resets the factors of a colleague and enrols in that person's place.

What merely delays is left out: rest after a reset, sessions, factors that one can enrol oneself. So is P5, which keeps
requests finishable and guards nothing: whoever adds an approver first is never held up by it. An inviter who finishes
alone can remove whoever else would have reviewed the identity. Custodians are taken to hold the secret.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from policies.rules.facts import NEVER, Bot, Facts, Held, Initiator, Key, Person, Terms
from policies.rules.needs import Asked, approvals_needed, is_locked
from policies.workflows import Right, Workflow
from portal.core.errors import Refused

ACCESS: Final = Workflow.MANAGE_ACCESS
POLICIES: Final = Workflow.MANAGE_POLICIES
MONEY: Final = Workflow.INITIATE_WITHDRAWAL


@dataclass(frozen=True, slots=True)
class Target:
    """A request that a group wants carried out; `protected`: a change to a locked policy, or another of P4's."""

    workflow: Workflow
    account_id: int | None = None
    protected: bool = False


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
        return f"{self.by} {self.what}; {_listed(self.approvers)} {'approve' if self.approvers[1:] else 'approves'}."


@dataclass(frozen=True, slots=True)
class State:
    """What a group has brought about so far: whom it had verified, by person, and which policies are gone."""

    verified: frozenset[int]
    removed: frozenset[str] = frozenset()


# Verify this person, or remove the policy of this workflow.
Move: TypeAlias = Person | Workflow
Group: TypeAlias = tuple[Person, ...]
Ending: TypeAlias = Callable[[Group, State], list[Step] | None]


class Roads:
    """The roads to one target in one Organization."""

    def __init__(self, facts: Facts, target: Target) -> None:
        self.facts = facts
        self.target = target
        self.people = tuple(person for person in facts.people if person.is_active)
        self.bots = tuple(self._withdrawing()) if target.workflow is MONEY else ()
        self._needs: dict[tuple[frozenset[str], Target, str], int] = {}
        self._locks: dict[tuple[frozenset[str], Workflow | None], bool] = {}
        self._holders: dict[tuple[Workflow, Right, int | None], frozenset[int]] = {}

    def of(self, group: Group) -> tuple[str, ...] | None:
        """The steps by which `group` carries out the target, without those it could spare; None if it cannot."""
        state = _begin(group)
        moves: list[Move] = []
        while self._direct(group, state) is None:
            fresh = [move for move in self._moves(group, state) if self._step(group, state, move) is not None]
            if not fresh:
                return self._told(group, moves, self._by_accomplices) if self._by_accomplices(group, state) else None
            for move in fresh:
                moves.append(move)
                state = _after(state, move)
        return self._told(group, moves, self._directly)

    def _told(self, group: Group, moves: list[Move], end: Ending) -> tuple[str, ...]:
        """The road in words, without the moves that it does not take."""
        for move in reversed(moves):
            fewer = [other for other in moves if other is not move]
            if self._replay(group, fewer, end) is not None:
                moves = fewer
        return tuple(str(step) for step in self._replay(group, moves, end) or ())

    def fewest(self) -> int:
        """No smaller group can carry anything through: who asks, and the least that anything asks for at first."""
        begin = State(frozenset())
        targets = [self.target, Target(ACCESS, protected=self._is_locked(begin))]
        targets += [Target(POLICIES, protected=self._is_locked(begin, move)) for move in self._left(begin)]
        kinds = (("executes", Right.EXECUTE), ("initiates", Right.INITIATE))
        needs = [
            self._need(begin, target, who) for target in targets for who, right in kinds if self._holding(target, right)
        ]
        needs += [self._need(begin, self.target, "bot")] if self.bots else []
        return 1 + min(needs, default=0)

    def _replay(self, group: Group, moves: Sequence[Move], end: Ending) -> list[Step] | None:
        state, steps = _begin(group), []
        for move in moves:
            step = self._step(group, state, move)
            if step is None:
                return None
            steps.append(step)
            state = _after(state, move)
        last = end(group, state)
        return None if last is None else [*steps, *last]

    def _moves(self, group: Group, state: State) -> Iterator[Move]:
        yield from (person for person in group if person.user_id not in state.verified)
        yield from self._left(state)

    def _step(self, group: Group, state: State, move: Move) -> Step | None:
        """How the group makes this move, or None if it cannot."""
        if isinstance(move, Person):
            return self._verify(group, state, move)
        target = Target(POLICIES, protected=self._is_locked(state, move))
        return self._carry(group, state, f"asks to remove the policy of {move.title}", target)

    def _verify(self, group: Group, state: State, person: Person) -> Step | None:
        target = Target(ACCESS, protected=person.holds_power and self._is_locked(state))
        able = self._approvers(group, state, target, {person.user_id})
        number = self._need(state, target, "reviews")
        if len(able) < 1 + number:
            return None
        return Step(f"verifies the identity of {person.name}", able[0], able[1 : 1 + number])

    def _directly(self, group: Group, state: State) -> list[Step] | None:
        direct = self._direct(group, state)
        return None if direct is None else [direct]

    def _by_accomplices(self, group: Group, state: State) -> list[Step] | None:
        """The last steps, if the group can carry through a change of access that P4 would protect."""
        target = Target(ACCESS, protected=self._is_locked(state))
        access = self._carry(group, state, "asks to give an accomplice every right", target)
        return None if access is None else self._multiply(group, state, access)

    def _direct(self, group: Group, state: State) -> Step | None:
        """The target, asked for as the policies stand by now."""
        target = self.target
        if target.protected and not self._is_locked(state):
            target = replace(target, protected=False)
        return self._carry(group, state, "asks for it", target) or self._through_a_key(group, state)

    def _multiply(self, group: Group, state: State, access: Step) -> list[Step] | None:
        """From one change of access to as many accomplices as it takes."""
        last = Step("ask for it and approve it, as many as it takes", "Accomplices")
        reviewers = self._approvers(group, state, Target(ACCESS), frozenset())
        if reviewers:
            return [_review(reviewers[0]), access, last]
        # Nobody of the group approves, so what they do takes no approval: whoever has power they can take or give.
        others = [person for person in self.people if person.is_verified and person not in group]
        reviewing = next((person for person in others if person.holds(ACCESS, Right.APPROVE)), None)
        taken = reviewing or next(iter(others), None)
        if taken is not None:
            steps = [Step(f"resets the factors of {taken.name} and enrols in their place", access.by)]
        elif len(state.verified) > 1:
            taken = next(one for one in group if one.user_id in state.verified - {access.asker})
            steps = []
        else:
            return self._key_of_ones_own(group, state, access)
        if reviewing is None:
            steps.append(Step(f"gives {taken.name} Approve on {ACCESS.title}", access.by))
        return [*steps, _review(taken.name), access, last]

    def _key_of_ones_own(self, group: Group, state: State, access: Step) -> list[Step] | None:
        """The one verified Member there is makes a key that may withdraw while a policy governs that, then frees it."""
        if self.target.workflow is not MONEY:
            return None
        freed = self._carry(group, state, f"removes the policy of {MONEY.title}", Target(POLICIES))
        if freed is None:
            return None
        made = Step("makes a key that may withdraw, while a policy governs that", access.by)
        return [made, freed, Step("asks for it through that key", access.by)]

    def _through_a_key(self, group: Group, state: State) -> Step | None:
        """A bot that asks, held by one of the group; its custodians do not approve."""
        for bot in self.bots:
            holder = next((person for person in group if person.user_id in bot.custodians), None)
            if holder is not None:
                number = self._need(state, self.target, "bot")
                able = self._approvers(group, state, self.target, bot.custodians)
                if len(able) >= number:
                    return Step(f"asks for it through {bot.name}", holder.name, able[:number])
        return None

    def _carry(self, group: Group, state: State, what: str, target: Target) -> Step | None:
        """How the group carries such a request through: somebody asks, and enough of the others approve."""
        initiating = self._holding(target, Right.INITIATE)
        for person in group:
            if person.user_id in state.verified and person.user_id in initiating:
                executes = person.user_id in self._holding(target, Right.EXECUTE)
                number = self._need(state, target, "executes" if executes else "initiates")
                able = self._approvers(group, state, target, {person.user_id})
                if len(able) >= number:
                    return Step(what, person.name, able[:number], person.user_id)
        return None

    def _approvers(self, group: Group, state: State, target: Target, without: Set[int]) -> tuple[str, ...]:
        able = (self._holding(target, Right.APPROVE) & state.verified) - without
        return tuple(person.name for person in group if person.user_id in able)

    def _holding(self, target: Target, right: Right) -> frozenset[int]:
        """All who hold `right` where the target is, by person."""
        place = (target.workflow, right, target.account_id)
        if place not in self._holders:
            holders = (person.user_id for person in self.people if person.holds(*place))
            self._holders[place] = frozenset(holders)
        return self._holders[place]

    def _is_locked(self, state: State, workflow: Workflow | None = None) -> bool:
        known = (state.removed, workflow)
        if known not in self._locks:
            self._locks[known] = is_locked(self._policies(state), workflow)
        return self._locks[known]

    def _left(self, state: State) -> Iterator[Workflow]:
        """The workflows that still have a policy."""
        governed = {terms.workflow for terms in self.facts.policies} - state.removed
        yield from (workflow for workflow in Workflow if workflow in governed)

    def _policies(self, state: State) -> tuple[Terms, ...]:
        return tuple(terms for terms in self.facts.policies if terms.workflow not in state.removed)

    def _withdrawing(self) -> Iterator[Bot]:
        for bot in self.facts.bots:
            if bot.may_withdraw and bot.account_id == self.target.account_id:
                yield from bot.through_each()

    def _need(self, state: State, target: Target, who: str) -> int:
        """What `policies.rules.needs` asks of somebody like that; looked up once for each kind."""
        known = (state.removed, target, who)
        if known not in self._needs:
            asked = Asked(target.workflow, _like(who, target), target.account_id)
            asked = replace(asked, protected=target.protected, alone=who == "reviews")
            try:
                self._needs[known] = approvals_needed(asked, self._policies(state)).approvals
            except Refused:
                self._needs[known] = NEVER
        return self._needs[known]


_RIGHTS: Final = {"executes": Right.EXECUTE, "initiates": Right.INITIATE, "reviews": Right.APPROVE}


def _like(who: str, target: Target) -> Initiator:
    if who == "bot":
        return Bot(0, "", target.account_id or 0, asking=Key(0))
    return Person(0, 0, "", grants=frozenset({Held(target.workflow, _RIGHTS[who])}))


def _review(name: str) -> Step:
    return Step("verifies an accomplice, invited without any right", name)


def _begin(group: Group) -> State:
    return State(frozenset(person.user_id for person in group if person.is_verified))


def _after(state: State, move: Move) -> State:
    if isinstance(move, Person):
        return replace(state, verified=state.verified | {move.user_id})
    return replace(state, removed=state.removed | {move.value})


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
