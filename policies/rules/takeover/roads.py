"""What a group of Members can bring about together, one change after another (DESIGN P6).

Each change only ever adds to what they can do next, so it is enough to close over it instead of searching:

- whoever may lift suspensions lets those of the group in again who are kept out;
- they let a suspended Service User work again while a policy still governs what it sends, which nobody has to answer
  for; without one it takes who could send the money alone (P2);
- whoever reviews identities verifies those of the group that are not verified yet;
- policies are removed, as soon as the group can carry such a change through; that of withdrawals is weakened first,
  and removed last, since that lets keys send at once, and takes who answers for them (P2);
- whoever changes groups of Members puts those of the group in there, which is protected only where a locked rule
  names such a group; who enters does not approve it;
- where rules look at where money goes, an address of their own is added, as long as Manage Addresses lets them;
- where a key sends at once, the name that it sends to is made to lead elsewhere;
- as soon as the group can carry through a change of access that P4 would protect, it has newcomers with every right,
  as many as it takes, in every group of Members: invited without rights, verified, then given all of them. Where nobody
  of the group reviews identities, it resets the factors of a colleague, takes the mail of the link, and enrols in that
  person's place.

What merely delays is left out: rest after a reset, a suspension that the clock ends, sessions, factors that one can
enrol oneself, a delay that a rule asks for, the age of an address, and sums of what left before. So is P5, which keeps
requests finishable and guards nothing: whoever adds an approver first is never held up by it. An inviter who finishes
alone can remove whoever else would have reviewed the identity. Custodians are taken to hold the secret.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from policies.rules.facts import Bot, Person
from policies.rules.takeover.asks import Ask
from policies.rules.takeover.ground import Ground
from policies.rules.takeover.moves import Add, Ease, Enter, Lift, Move, after, begin
from policies.rules.takeover.newcomers import by_newcomers
from policies.rules.takeover.targets import ACCESS, ADDRESSES, MONEY, POLICIES, Group, State, Step, Target
from policies.workflows import Workflow

Ending: TypeAlias = Callable[[Group, State], list[Step] | None]


class Roads:
    """The roads to one target in one Organization."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def of(self, group: Group) -> tuple[str, ...] | None:
        """The steps by which `group` carries out the target, without those it could spare; None if it cannot."""
        state, moves = self.closed(group)
        if self._directly(group, state) is not None:
            return self._told(group, moves, self._directly)
        return self._told(group, moves, self._by_newcomers) if self._by_newcomers(group, state) else None

    def closed(self, group: Group) -> tuple[State, list[Move]]:
        """How far `group` gets by itself, and by which moves; no further once it can carry out the target."""
        state = begin(group)
        moves: list[Move] = []
        while self._directly(group, state) is None:
            fresh = [move for move in self.moves(group, state) if self._step(group, state, move) is not None]
            if not fresh:
                break
            for move in self._before_money(fresh):
                moves.append(move)
                state = after(state, move)
        return state, moves

    def arrives(self, group: Group, state: State) -> bool:
        """Whether the group, having come so far, carries out the target next."""
        return self._directly(group, state) is not None or self._by_newcomers(group, state) is not None

    def reaches(self, group: Group) -> bool:
        """Whether `group` can carry out the target."""
        state = begin(group)
        while not self.arrives(group, state):
            fresh = [move for move in self.moves(group, state) if self._step(group, state, move) is not None]
            if not fresh:
                return False
            for move in self._before_money(fresh):
                state = after(state, move)
        return True

    def _before_money(self, fresh: list[Move]) -> list[Move]:
        """Those to make now: a bot goes on while a policy governs it, so that policy goes last where one could."""
        sooner: list[Move] = [move for move in fresh if move is not MONEY]
        return sooner if sooner and self.ground.suspended else fresh

    def fewest(self) -> int:
        """No smaller group can carry anything through: who asks, and the least that anything asks for at first."""
        ground, first = self.ground, State(frozenset())
        targets = [ground.target, Target(ACCESS, protected=ground.is_locked(first))]
        targets += [Target(POLICIES, protected=ground.is_locked(first, move)) for move in ground.left(first)]
        asks = [ground.ask(first, target) for target in targets] + [ground.through(first, bot) for bot in ground.bots]
        needs = (need.approvals for ask in asks for each in ask.needs.values() for need in each)
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
        state, steps = begin(group), []
        for move in moves:
            step = self._step(group, state, move)
            if step is None:
                return None
            steps.append(step)
            state = after(state, move)
        last = end(group, state)
        return None if last is None else [*steps, *last]

    def moves(self, group: Group, state: State) -> Iterator[Move]:
        """What the group has not done yet, whether or not it can."""
        for person in group:
            if person.is_kept_out and person.user_id not in state.lifted:
                yield Lift(person)
            elif person.user_id not in state.able:
                yield person
        yield from (bot for bot in self.ground.suspended if not self.ground.works(state, bot))
        yield from self.ground.left(state)
        if not state.is_eased and MONEY in self.ground.left(state):
            yield Ease()
            corners = self.ground.corners
            if corners is not None and corners.by_destination and not state.has_address:
                yield Add()
        # Who cannot change access at all puts nobody into a group.
        if self.ground.groups and self.puts_in(group, state):
            for number in self.ground.groups:
                there = self.ground.members(state, number)
                yield from (Enter(person, number) for person in group if person.user_id not in there)

    def puts_in(self, group: Group, state: State) -> bool:
        """Whether the group can put somebody else into a group of Members that no locked rule names."""
        return self.ground.carry(group, state, "", self.ground.ask(state, Target(ACCESS))) is not None

    def ask(self, state: State, move: Move) -> Ask | None:
        """What this move takes of whom; None while nobody could make it."""
        ground = self.ground
        match move:
            case Lift(person):
                target = Target(ACCESS, protected=person.holds_power and ground.is_locked(state))
                return ground.ask(state, target, approvers_ask=True)
            case Bot():
                target = Target(ACCESS, protected=ground.is_locked(state))
                return ground.ask(state, target, approvers_ask=True) if MONEY in ground.left(state) else None
            case Person():
                waits = move.is_kept_out and move.user_id not in state.lifted
                return None if waits else ground.review(state, move)
            case Ease():
                return ground.ask(state, Target(POLICIES, protected=ground.is_locked(state, MONEY)))
            case Enter(person, group):
                protected = ground.is_named_by_lock(state, group)
                return ground.ask(state, Target(ACCESS, protected=protected, subject=person.user_id))
            case Add():
                protected = ground.is_where_to_locked(state)
                return ground.ask(state, Target(ADDRESSES, ground.target.account_id, protected=protected))
            case Workflow():
                return ground.ask(state, ground.removal(state, move))

    def _step(self, group: Group, state: State, move: Move) -> Step | None:
        """How the group makes this move, or None if it cannot."""
        ask = self.ask(state, move)
        return None if ask is None else self.ground.carry(group, state, self._what(move), ask)

    def _what(self, move: Move) -> str:
        match move:
            case Lift(Person(name=name)) | Bot(name=name):
                return f"asks to lift the suspension of {name}"
            case Person():
                return f"verifies the identity of {move.name}"
            case Ease():
                return f"asks to weaken the policy of {MONEY.title} to one approval"
            case Enter(person, group):
                return f"asks to put {person.name} into the group {self.ground.facts.groups.get(group, '')}".rstrip()
            case Add():
                return "asks to add an address of their own"
            case Workflow():
                return f"asks to remove the policy of {move.title}"

    def endings(self, state: State) -> Iterator[tuple[str, Ask]]:
        """The last steps that are there with the policies as they stand by now: asked for, or through a key."""
        ground, target = self.ground, self.ground.target
        if target.protected and not ground.is_locked(state):
            target = replace(target, protected=False)
        yield "asks for it", ground.ask(state, target)
        for bot in ground.bots:
            if ground.works(state, bot):
                yield f"asks for it through {bot.name}", ground.through(state, bot)
        sending = ground.sends_at_once(state)
        if sending is not None:
            yield f"asks to let a name to which {sending.name} sends lead elsewhere", ground.name_again(state)

    def _directly(self, group: Group, state: State) -> list[Step] | None:
        for what, ask in self.endings(state):
            step = self.ground.carry(group, state, what, ask)
            if step is not None:
                return [step]
        return None

    def _by_newcomers(self, group: Group, state: State) -> list[Step] | None:
        return by_newcomers(self.ground, group, state)
