"""What a group of Members can bring about together, one change after another (DESIGN P6).

Each change only ever adds to what they can do next, so it is enough to close over it instead of searching:

- whoever may lift suspensions lets those of the group in again who are kept out;
- they let a suspended Service User work again while a policy still governs what it sends, which nobody has to answer
  for; without one it takes who could send the money alone (P2);
- whoever reviews identities verifies those of the group that are not verified yet;
- policies are removed, as soon as the group can carry such a change through; that of withdrawals is weakened first,
  and removed last, since that lets keys send at once, and takes who answers for them (P2);
- where a key sends at once, the name that it sends to is made to lead elsewhere;
- as soon as the group can carry through a change of access that P4 would protect, it has newcomers with every right,
  as many as it takes: invited without rights, verified, then given all of them. Where nobody of the group reviews
  identities, it resets the factors of a colleague, takes the mail of the link, and enrols in that person's place.

What merely delays is left out: rest after a reset, a suspension that the clock ends, sessions, factors that one can
enrol oneself. So is P5, which keeps requests finishable and guards nothing: whoever adds an approver first is never
held up by it. An inviter who finishes alone can remove whoever else would have reviewed the identity. Custodians are
taken to hold the secret.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from policies.rules.facts import Bot, Facts, Person
from policies.rules.takeover_facts import ACCESS, ADDRESSES, MONEY, POLICIES, Ground, Group, State, Step, Target, names
from policies.workflows import Right, Workflow


@dataclass(frozen=True, slots=True)
class Lift:
    """The suspension of this person is lifted."""

    person: Person


@dataclass(frozen=True, slots=True)
class Ease:
    """The policy of withdrawals is weakened as far as a policy can be."""


# Weaken that policy, lift a suspension, of a Member or of this bot, verify this person, or remove the policy of this
# workflow.
Move: TypeAlias = Ease | Lift | Bot | Person | Workflow
Ending: TypeAlias = Callable[[Group, State], list[Step] | None]


class Roads:
    """The roads to one target in one Organization."""

    def __init__(self, facts: Facts, target: Target) -> None:
        self.ground = Ground(facts, target)

    def of(self, group: Group) -> tuple[str, ...] | None:
        """The steps by which `group` carries out the target, without those it could spare; None if it cannot."""
        state = _begin(group)
        moves: list[Move] = []
        while self._directly(group, state) is None:
            fresh = [move for move in self._moves(group, state) if self._step(group, state, move) is not None]
            if not fresh:
                return self._told(group, moves, self._by_newcomers) if self._by_newcomers(group, state) else None
            for move in self._before_money(fresh):
                moves.append(move)
                state = _after(state, move)
        return self._told(group, moves, self._directly)

    def _before_money(self, fresh: list[Move]) -> list[Move]:
        """Those to make now: a bot goes on while a policy governs it, so that policy goes last where one could."""
        sooner: list[Move] = [move for move in fresh if move is not MONEY]
        return sooner if sooner and self.ground.suspended else fresh

    def fewest(self) -> int:
        """No smaller group can carry anything through: who asks, and the least that anything asks for at first."""
        ground, begin = self.ground, State(frozenset())
        targets = [ground.target, Target(ACCESS, protected=ground.is_locked(begin))]
        targets += [Target(POLICIES, protected=ground.is_locked(begin, move)) for move in ground.left(begin)]
        kinds = (("executes", Right.EXECUTE), ("initiates", Right.INITIATE))
        needs = [
            ground.need(begin, target, who)
            for target in targets
            for who, right in kinds
            if ground.holding(target, right)
        ]
        needs += [ground.need(begin, ground.target, "bot")] if ground.bots else []
        return 1 + min(needs, default=0)

    def _told(self, group: Group, moves: list[Move], end: Ending) -> tuple[str, ...]:
        """The road in words, without the moves that it does not take."""
        for move in reversed(moves):
            fewer = [other for other in moves if other is not move]
            if self._replay(group, fewer, end) is not None:
                moves = fewer
        waits = (f"The suspension of {person.name} ends by itself." for person in group if person.comes_back)
        return (*waits, *(str(step) for step in self._replay(group, moves, end) or ()))

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
        for person in group:
            if person.is_kept_out and person.user_id not in state.lifted:
                yield Lift(person)
            elif person.user_id not in state.able:
                yield person
        yield from (bot for bot in self.ground.suspended if not self.ground.works(state, bot))
        yield from self.ground.left(state)
        if not state.is_eased and MONEY in self.ground.left(state):
            yield Ease()

    def _step(self, group: Group, state: State, move: Move) -> Step | None:
        """How the group makes this move, or None if it cannot."""
        ground = self.ground
        if isinstance(move, Lift):
            return self._lift(group, state, move.person)
        if isinstance(move, Bot):
            return self._resume(group, state, move)
        if isinstance(move, Person):
            return self._verify(group, state, move)
        if isinstance(move, Ease):
            target = Target(POLICIES, protected=ground.is_locked(state, MONEY))
            return ground.carry(group, state, f"asks to weaken the policy of {MONEY.title} to one approval", target)
        what = f"asks to remove the policy of {move.title}"
        return ground.carry(group, state, what, ground.removal(state, move))

    def _lift(self, group: Group, state: State, person: Person) -> Step | None:
        target = Target(ACCESS, protected=person.holds_power and self.ground.is_locked(state))
        what = f"asks to lift the suspension of {person.name}"
        return self.ground.carry(group, state, what, target, approvers_ask=True)

    def _resume(self, group: Group, state: State, bot: Bot) -> Step | None:
        if MONEY not in self.ground.left(state):
            return None
        target = Target(ACCESS, protected=self.ground.is_locked(state))
        what = f"asks to lift the suspension of {bot.name}"
        return self.ground.carry(group, state, what, target, approvers_ask=True)

    def _verify(self, group: Group, state: State, person: Person) -> Step | None:
        if person.is_kept_out and person.user_id not in state.lifted:
            return None
        target = Target(ACCESS, protected=person.holds_power and self.ground.is_locked(state))
        able = self.ground.approvers(group, state, target, {person.user_id})
        number = self.ground.need(state, target, "reviews")
        if len(able) < 1 + number:
            return None
        return Step(f"verifies the identity of {person.name}", able[0].name, names(able[1 : 1 + number]))

    def _directly(self, group: Group, state: State) -> list[Step] | None:
        """The last step, with the policies as they stand by now: asked for, or through a key that is there."""
        target = self.ground.target
        if target.protected and not self.ground.is_locked(state):
            target = replace(target, protected=False)
        asked = self.ground.carry(group, state, "asks for it", target)
        step = asked or self._through_a_key(group, state) or self._through_a_name(group, state)
        return None if step is None else [step]

    def _through_a_key(self, group: Group, state: State) -> Step | None:
        """A bot that asks, held by one of the group; its custodians do not approve."""
        ground = self.ground
        for bot in (bot for bot in ground.bots if ground.works(state, bot)):
            holder = next((person for person in group if person.user_id in bot.custodians), None)
            if holder is not None:
                number = ground.need(state, ground.target, "bot")
                able = ground.approvers(group, state, ground.target, bot.custodians)
                if len(able) >= number:
                    return Step(f"asks for it through {bot.name}", holder.name, names(able[:number]))
        return None

    def _through_a_name(self, group: Group, state: State) -> Step | None:
        """A bot that sends at once, to a name that the group gave again to an address of its own (DESIGN P2, P6)."""
        ground = self.ground
        bot = next((bot for bot in ground.bots if ground.works(state, bot)), None)
        if bot is None or ground.need(state, ground.target, "bot"):
            return None
        again = Target(ADDRESSES, ground.target.account_id, protected=ground.is_locked(state), least=1)
        what = f"asks to let a name to which {bot.name} sends lead elsewhere"
        return ground.carry(group, state, what, again)

    def _by_newcomers(self, group: Group, state: State) -> list[Step] | None:
        """The last steps, if the group can carry through a change of access that P4 would protect."""
        target = Target(ACCESS, protected=self.ground.is_locked(state))
        access = self.ground.carry(group, state, "asks to give a newcomer every right", target)
        return None if access is None else self._multiply(group, state, access)

    def _multiply(self, group: Group, state: State, access: Step) -> list[Step] | None:
        """From one change of access to as many newcomers as it takes."""
        last = Step("ask for it and approve it, as many as it takes", "Newcomers")
        reviewers = self.ground.approvers(group, state, Target(ACCESS), frozenset())
        if reviewers:
            return [_review(reviewers[0].name), access, last]
        # Nobody of the group approves, so what they do takes no approval: whoever has power they can take or give.
        others = [one for one in self.ground.people if one.is_verified and one not in group]
        others.sort(key=lambda one: (not one.holds(ACCESS, Right.APPROVE), one.is_kept_out))
        steps = []
        if others:
            taken = others[0]
            steps += [Step(f"lifts the suspension of {taken.name}", access.by)] if taken.is_kept_out else []
            what = f"resets the factors of {taken.name}, takes the mail with the link, and enrols in their place"
            steps.append(Step(what, access.by))
        elif len(state.able) > 1:
            taken = next(one for one in group if one.user_id in state.able - {access.asker})
        else:
            return None
        if not taken.holds(ACCESS, Right.APPROVE):
            steps.append(Step(f"gives {taken.name} Approve on {ACCESS.title}", access.by))
        return [*steps, _review(taken.name), access, last]


def _review(name: str) -> Step:
    return Step("verifies a newcomer, invited without any right", name)


def _begin(group: Group) -> State:
    return State(frozenset(person.user_id for person in group if person.is_verified and not person.is_kept_out))


def _after(state: State, move: Move) -> State:
    if isinstance(move, Lift):
        me = frozenset({move.person.user_id})
        return replace(state, lifted=state.lifted | me, able=state.able | (me if move.person.is_verified else set()))
    if isinstance(move, Ease):
        return replace(state, is_eased=True)
    if isinstance(move, Bot):
        return replace(state, resumed=state.resumed | {move.service_user_id})
    if isinstance(move, Person):
        return replace(state, able=state.able | {move.user_id})
    return replace(state, removed=state.removed | {move.value})
