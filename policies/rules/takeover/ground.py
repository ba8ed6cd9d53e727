"""What holds in an Organization whichever road a group takes: who holds what, and what each request takes of whom."""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Final, TypeAlias

from policies.rules.facts import NEVER, Bot, Facts, Held, Initiator, Key, Person, Terms
from policies.rules.language import MEMBER, SERVICE_USER, Situation, initiator_id
from policies.rules.quorum import Asked, Need, approvals_needed, is_locked
from policies.rules.takeover.asks import Ask, least
from policies.rules.takeover.corners import Corners
from policies.rules.takeover.targets import ACCESS, ADDRESSES, EASED, MONEY, POLICIES, Group, State, Step, Target, names
from policies.workflows import Right, Workflow
from portal.core.errors import Refused

# What somebody holds who asks like that. A reviewer and a lifter ask by their Approve, as Manage Access lets them.
_RIGHTS: Final = {
    "executes": Right.EXECUTE,
    "initiates": Right.INITIATE,
    "lifts": Right.APPROVE,
    "reviews": Right.APPROVE,
}
NONE: Final = frozenset[int]()
_Place: TypeAlias = tuple[Workflow, Right, int | None]


class Ground:
    """One Organization, and a request that somebody in it wants carried out.

    Whoever comes back by the clock is there; whoever is kept out has to be let in again first.
    """

    def __init__(self, facts: Facts, target: Target) -> None:
        self.facts = facts
        self.target = target
        # People and keys are the same for each target, and before and after a change of policies.
        self.people, self.by_id, self.name_of = facts.kept(
            "takeover: people", (facts.people,), lambda: _there(facts.people)
        )
        # Whoever holds any key that may withdraw does not approve that it may at once.
        self.withdrawing, self.keys, self._keys_of = facts.kept(
            "takeover: keys", (facts.bots,), lambda: _withdrawing(facts.bots)
        )
        here = (bot for bot in self.keys if bot.account_id == target.account_id)
        self.bots = tuple(here) if target.workflow is MONEY else ()
        self.suspended = tuple(
            bot
            for bot in self.withdrawing
            if not bot.is_active and target.workflow is MONEY and bot.account_id == target.account_id
        )
        self.groups = tuple(sorted(_named(facts.policies)))
        self._in_groups = facts.kept("takeover: groups", (facts.people,), dict[int, frozenset[int]])
        self._needs: dict[object, tuple[Need, ...]] = {}
        self._asks: dict[object, Ask] = {}
        self._locks: dict[tuple[frozenset[str], bool, Workflow | None], bool] = {}
        self._locked_groups: dict[tuple[frozenset[str], bool], frozenset[int]] = {}
        self._holders = facts.kept("takeover: holders", (facts.people,), dict[_Place, frozenset[int]])
        self._corners: dict[Decimal, Corners] = {}
        self._freed: dict[frozenset[int], tuple[frozenset[int], frozenset[int]]] = {}

    def at(self, amount: Decimal) -> "Ground":
        """The same, for a withdrawal of `amount`. What was looked up before is not looked up again."""
        found = copy(self)
        found.target = replace(self.target, amount=amount)
        return found

    @property
    def corners(self) -> Corners | None:
        """How a withdrawal of the amount that is wanted is best asked for; None where no amount is."""
        amount = self.target.amount
        if amount is None:
            return None
        if amount not in self._corners:
            rules = [rule for terms in self.facts.policies if terms.workflow == MONEY for rule in terms.rule_set]
            self._corners[amount] = Corners(rules, amount, self.target.account_id, self.facts.books)
        return self._corners[amount]

    def keys_of(self, person: Person) -> frozenset[int]:
        """The places of the keys that they are custodians of."""
        return self._keys_of.get(person.user_id, NONE)

    def carry(self, group: Group, state: State, what: str, ask: Ask) -> Step | None:
        """How the group carries such a request through: somebody asks, and enough of the others approve."""
        for person in group:
            if person.user_id in ask.needs and (ask.is_held or person.user_id in state.able):
                approving = ask.agreed(group, state.able, person, lambda number: self.members(state, number))
                if approving is not None:
                    return Step(what, person.name, names(approving), person.user_id)
        return None

    def members(self, state: State, group: int) -> Set[int]:
        """Who is in a group of Members by now, by person."""
        if group not in self._in_groups:
            self._in_groups[group] = frozenset(one.user_id for one in self.people if group in one.groups)
        there = self._in_groups[group]
        return there | {user_id for user_id, entered in state.entered if entered == group} if state.entered else there

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

    def is_named_by_lock(self, state: State, group: int) -> bool:
        """Whether a locked rule asks for approvals of that group; what cannot be read may."""
        known = (state.removed, state.is_eased)
        if known not in self._locked_groups:
            locked = self._locked(state)
            unreadable = any(terms.rules is None for terms in locked)
            self._locked_groups[known] = frozenset(self.groups) if unreadable else _named(locked)
        return group in self._locked_groups[known]

    def is_where_to_locked(self, state: State) -> bool:
        """Whether a locked rule looks at where money goes, or since when that is known (P4)."""
        return any(
            terms.rules is None
            or any(rule.destinations is not None or rule.younger_hours is not None for rule in terms.rules)
            for terms in self._locked(state)
        )

    def works(self, state: State, bot: Bot) -> bool:
        """Whether that bot may withdraw by now, its suspension lifted if it had one."""
        return bot.is_active or bot.service_user_id in state.resumed

    def left(self, state: State) -> Iterator[Workflow]:
        """The workflows that still have a policy."""
        governed = {terms.workflow for terms in self.facts.policies} - state.removed
        yield from (workflow for workflow in Workflow if workflow in governed)

    def removal(self, state: State, workflow: Workflow) -> Target:
        """What it asks to remove the policy of `workflow`: of withdrawals, what giving keys that power asks (P2)."""
        if workflow is not MONEY:
            return Target(POLICIES, protected=self.is_locked(state, workflow))
        if state.resumed not in self._freed:
            freed = [bot for bot in self.withdrawing if self.works(state, bot)]
            barred = frozenset[int]().union(*(bot.custodians for bot in freed))
            self._freed[state.resumed] = frozenset(bot.account_id for bot in freed), barred
        frees, barred = self._freed[state.resumed]
        protected = self.is_locked(state, None if frees else workflow)
        return Target(POLICIES, protected=protected, frees=frees, barred=barred)

    def ask(self, state: State, target: Target, *, approvers_ask: bool = False) -> Ask:
        """What such a request takes of whom, whoever asks; worked out once."""
        known = (state.removed, state.is_eased, state.has_address, target, approvers_ask)
        if known not in self._asks:
            kinds = ("executes", "initiates", *(("lifts",) if approvers_ask else ()))
            needs: dict[int, tuple[Need, ...]] = {}
            for who in reversed(kinds):
                needs |= self.needs_of(self.holding(target, _RIGHTS[who]), state, target, who)
            answers = tuple(
                self.holding(Target(MONEY, account_id), Right.EXECUTE) for account_id in sorted(target.frees)
            )
            self._asks[known] = Ask(target.workflow, needs, self._approvers(target), answers)
        return self._asks[known]

    def review(self, state: State, person: Person) -> Ask:
        """What it takes to verify an identity: whoever approves asks."""
        target = Target(ACCESS, protected=person.holds_power and self.is_locked(state), subject=person.user_id)
        known = (state.removed, state.is_eased, target, "reviews")
        if known not in self._asks:
            approvers = self._approvers(target)
            needs = self.needs_of(approvers, state, target, "reviews")
            self._asks[known] = Ask(ACCESS, needs, approvers)
        return self._asks[known]

    def through(self, state: State, bot: Bot) -> Ask:
        """What a withdrawal takes that a key of `bot` asks for: whoever holds it does not approve."""
        known = (state.removed, state.is_eased, state.has_address, self.target, bot.service_user_id, bot.asking)
        if known not in self._asks:
            needs = self.needs(state, self.target, "bot", bot)
            approvers = self._approvers(self.target) - bot.custodians
            self._asks[known] = Ask(MONEY, dict.fromkeys(bot.custodians, needs), approvers, is_held=True)
        return self._asks[known]

    def asked_at_first(self) -> object:
        """All that is asked of a withdrawal as things are, of whoever asks, and to an address that is added first."""
        for_each = []
        for has_address in (False, True):
            state = State(frozenset(), has_address=has_address)
            asks = (self.ask(state, self.target), *(self.through(state, bot) for bot in self.bots))
            for_each.append([ask.needs for ask in asks])
        return for_each

    def sends_at_once(self, state: State) -> Bot | None:
        """A bot that sends what it asks for at once, if there is one."""
        bot = next((bot for bot in self.bots if self.works(state, bot)), None)
        if bot is None:
            return None
        free = any(not need.approvals and not need.groups for need in self.needs(state, self.target, "bot", bot))
        return bot if free else None

    def name_again(self, state: State) -> Ask:
        """What it takes to let a name lead elsewhere (P2)."""
        account_id = self.target.account_id
        return self.ask(state, Target(ADDRESSES, account_id, protected=self.is_locked(state), least=1))

    def needs(self, state: State, target: Target, who: str, asker: Initiator) -> tuple[Need, ...]:
        """What `policies.rules.quorum` asks of somebody like that, by the best ways of asking for it."""
        own = isinstance(asker, Person) and asker.user_id == target.subject
        corners = self.corners if target.amount is not None else None
        if corners is None or state.is_eased or MONEY in state.removed:
            place = (target.workflow, target.account_id, target.protected, max(target.least, 1 if own else 0))
            known: object = (state.removed, state.is_eased, place, who)
            situations: tuple[Situation | None, ...] = (None,)
        else:
            name = _name(asker)
            known = (state.removed, state.has_address, target.amount, who, corners.kind(name))
            situations = () if known in self._needs else corners.at(name, anywhere=state.has_address)
        if known not in self._needs:
            self._needs[known] = least(self._need(state, target, who, each, own=own) for each in situations)
        return self._needs[known]

    def needs_of(self, asking: Collection[int], state: State, target: Target, who: str) -> dict[int, tuple[Need, ...]]:
        """The same of many people, looked up once for all of whom the same is asked."""
        corners = self.corners if target.amount is not None else None
        known: dict[tuple[bool, int], tuple[Need, ...]] = {}
        found = {}
        for user_id in asking:
            same = (user_id == target.subject, corners.kind(self.name_of[user_id]) if corners is not None else 0)
            if same not in known:
                known[same] = self.needs(state, target, who, self.by_id[user_id])
            found[user_id] = known[same]
        return found

    def _need(self, state: State, target: Target, who: str, situation: Situation | None, *, own: bool) -> Need:
        asked = Asked(
            target.workflow,
            _like(who, target),
            target.account_id,
            protected=target.protected,
            alone=who == "reviews",
            least=max(target.least, 1 if own else 0),
            situation=situation,
        )
        try:
            return approvals_needed(asked, self._policies(state))
        except Refused:
            return Need(NEVER)

    def _approvers(self, target: Target) -> frozenset[int]:
        return self.holding(target, Right.APPROVE) - target.barred - {target.subject}

    def _policies(self, state: State) -> tuple[Terms, ...]:
        left = tuple(terms for terms in self.facts.policies if terms.workflow not in state.removed)
        return tuple(EASED if state.is_eased and terms.workflow == MONEY else terms for terms in left)

    def _locked(self, state: State) -> tuple[Terms, ...]:
        return tuple(terms for terms in self._policies(state) if terms.is_locked is not False)


def _there(people: Sequence[Person]) -> tuple[Group, Mapping[int, Person], Mapping[int, str]]:
    """Whoever is there, comes back by the clock, or has to be let in again; the same by person; and how each asks."""
    found = tuple(person.back for person in people if person.back.is_active or person.is_kept_out)
    by_id = {person.user_id: person for person in found}
    return found, by_id, {user_id: _name(person) for user_id, person in by_id.items()}


def _withdrawing(bots: Sequence[Bot]) -> tuple[tuple[Bot, ...], tuple[Bot, ...], Mapping[int, frozenset[int]]]:
    """The bots that may withdraw, or may once they are resumed; each by each of its keys; and who holds which of these.

    The latter by person, as the places of the keys.
    """
    found = tuple(bot for bot in bots if replace(bot, is_active=True).may_withdraw)
    keys = tuple(key for bot in found for key in bot.through_each())
    places: dict[int, frozenset[int]] = {}
    for place, bot in enumerate(keys):
        places |= {one: places.get(one, NONE) | {place} for one in bot.custodians}
    return found, keys, places


def _like(who: str, target: Target) -> Initiator:
    if who == "bot":
        return Bot(0, "", target.account_id or 0, asking=Key(0))
    return Person(0, 0, "", grants=frozenset({Held(target.workflow, _RIGHTS[who])}))


def _name(asker: Initiator) -> str:
    if isinstance(asker, Person):
        return initiator_id(MEMBER, asker.member_id)
    return initiator_id(SERVICE_USER, asker.service_user_id)


def _named(policies: Collection[Terms]) -> frozenset[int]:
    """The groups of Members of which one of them asks approvals."""
    return frozenset(each.group for terms in policies for rule in terms.rules or () for each in rule.groups)
