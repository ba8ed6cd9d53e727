"""Who may ask for what, what could be asked of them, and who could approve it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from policies.rules.cells.audience import bound
from policies.rules.eligibility import members, why_not
from policies.rules.facts import NEVER, Bot, Facts, Initiator, Person, Terms
from policies.rules.language import (
    MEMBER,
    SERVICE_USER,
    Demand,
    GroupApprovals,
    Rule,
    initiator_id,
)
from policies.rules.quorum import Asked, approvals_needed, is_locked, policy_of
from policies.workflows import Right, Workflow
from portal.core.errors import Refused

# The workflows in which a change can be protected (P4).
PROTECTED: Final = frozenset({Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES})


def pool(workflow: Workflow, account_id: int | None, facts: Facts) -> frozenset[int]:
    """Whoever could approve there what a stranger asks, by person."""
    return frozenset(person.user_id for person in _able(workflow, account_id, facts))


def pools(workflow: Workflow, account_id: int | None, facts: Facts) -> dict[int | None, frozenset[int]]:
    """The same of each group that somebody is in; of all under None."""
    name = ("pools", workflow, account_id, facts.level)
    return facts.kept(name, (facts.people,), lambda: _pools(workflow, account_id, facts))


def _pools(workflow: Workflow, account_id: int | None, facts: Facts) -> dict[int | None, frozenset[int]]:
    able = _able(workflow, account_id, facts)
    everybody = frozenset(person.user_id for person in able)
    groups = frozenset[int]().union(*(person.groups for person in able))
    return {None: everybody, **{group: members(able, group) for group in groups}}


def _able(workflow: Workflow, account_id: int | None, facts: Facts) -> list[Person]:
    asked = stranger(workflow, account_id)
    return [person for person in facts.people if why_not(person.awake, asked, facts.level) is None]


def stranger(workflow: Workflow, account_id: int | None) -> Asked:
    """What somebody asks who is nobody's colleague: whoever may decide it may decide what anybody asks but themselves.

    Initiator and custodians are then taken out by person, which spares going through everybody for each initiator.
    """
    return Asked(workflow, Bot(0, "", account_id or 0), account_id)


def initiators(workflow: Workflow, account_id: int | None, facts: Facts) -> Iterator[Initiator]:
    """Whoever may ask there: Members who may initiate, and bots that may withdraw, once for each of their keys."""
    yield from (person.awake for person in facts.people if person.may_initiate(workflow, account_id))
    if workflow is Workflow.INITIATE_WITHDRAWAL:
        for bot in facts.bots:
            if bot.may_withdraw and bot.account_id == account_id:
                yield from bot.through_each()


def barred(initiator: Initiator) -> frozenset[int]:
    """The persons who never approve what it asks: itself, or the custodians of its key."""
    return frozenset({initiator.user_id}) if isinstance(initiator, Person) else initiator.custodians


def who(initiator: Initiator) -> tuple[str, int]:
    """By what the same initiator is found again after a change, through whichever key it asks."""
    if isinstance(initiator, Person):
        return (MEMBER, initiator.member_id)
    return (SERVICE_USER, initiator.service_user_id)


def most_needed(workflow: Workflow, initiator: Initiator, account_id: int | None, facts: Facts) -> Demand:
    """The most that can be asked of `initiator` there: while a policy is locked, what a protected change asks."""
    protected = workflow in PROTECTED and is_locked(facts.policies)
    asked = Asked(workflow, initiator, account_id, protected=protected)
    try:
        return approvals_needed(asked, facts.policies).demand
    except Refused:
        return Demand(NEVER)


class MostNeeded:
    """`most_needed` there, once for all of whom the same can be asked: bots, and Members with Execute or without."""

    def __init__(self, workflow: Workflow, account_id: int | None, facts: Facts) -> None:
        self._place = (workflow, account_id)
        self._facts = facts
        self._known: dict[tuple[bool, bool], Demand] = {}

    def of(self, initiator: Initiator) -> Demand:
        """Of one who does not rest."""
        workflow, account_id = self._place
        executes = isinstance(initiator, Person) and initiator.holds(workflow, Right.EXECUTE, account_id)
        kind = (isinstance(initiator, Person), executes)
        if kind not in self._known:
            self._known[kind] = most_needed(workflow, initiator, account_id, self._facts)
        return self._known[kind]


def needed(workflow: Workflow, initiator: Initiator, account_id: int | None, facts: Facts) -> int:
    """Of the same the number of approvals, whoever gives them."""
    return most_needed(workflow, initiator, account_id, facts).approvals


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who may ask, what could be asked of them, and who never approves it.

    `rules` say when it is asked by amounts, asset, destination and its age alone.
    """

    who: tuple[str, int]
    name: str
    rules: tuple[Rule, ...]
    barred: frozenset[int]


def askers(workflow: Workflow, account_id: int | None, facts: Facts) -> tuple[Asker, ...]:
    """Whoever may ask there, a bot once for each of its keys."""
    parts = (facts.people, facts.bots, facts.policies)
    return facts.kept(("askers", workflow, account_id), parts, lambda: tuple(_askers(workflow, account_id, facts)))


def _askers(workflow: Workflow, account_id: int | None, facts: Facts) -> Iterator[Asker]:
    policy = _with_conditions(workflow, facts)
    of_policy = _Sorted(policy.rule_set, str(account_id)) if policy else None
    most = MostNeeded(workflow, account_id, facts)
    as_rules: dict[Demand, tuple[Rule, ...]] = {}
    for one in initiators(workflow, account_id, facts):
        if of_policy is None:
            asked = most.of(one)
            rules = as_rules.get(asked) or as_rules.setdefault(asked, (_as_rule(asked),))
        else:
            executes = isinstance(one, Person) and one.holds(workflow, Right.EXECUTE, account_id)
            rules = of_policy.concerning(who(one), executes=executes)
        yield Asker(who(one), one.name, rules, barred(one))


class _Sorted:
    """The rules of a policy for one Account, by whom they concern: once for all of whom the same ones do."""

    def __init__(self, rules: Sequence[Rule], account: str) -> None:
        self._bound = {each: bound(rules, executes=each) for each in (False, True)}
        self._account = account
        self._known: dict[tuple[bool, tuple[int, ...]], tuple[Rule, ...]] = {}

    def concerning(self, asking: tuple[str, int], *, executes: bool) -> tuple[Rule, ...]:
        """Those that can match what somebody asks there, without what they say of that."""
        rules = self._bound[executes]
        places = tuple(place for place, rule in enumerate(rules) if _concerns(rule, asking, self._account))
        if (executes, places) not in self._known:
            self._known[executes, places] = tuple(
                replace(rules[place], accounts=None, initiators=None, asked_by="") for place in places
            )
        return self._known[executes, places]


def _as_rule(asked: Demand) -> Rule:
    groups = tuple(GroupApprovals(group, count) for group, count in asked.groups)
    return Rule(approvals=asked.approvals, groups=groups, deny=asked.is_denied, delay_hours=asked.delay_hours)


def _with_conditions(workflow: Workflow, facts: Facts) -> Terms | None:
    """The policy of `workflow`, if it has rules that do not match everything, and can be read."""
    try:
        policy = policy_of(facts.policies, workflow)
    except Refused:
        return None
    return None if policy is None or all(rule.is_plain for rule in policy.rule_set) else policy


def _concerns(rule: Rule, asking: tuple[str, int], account: str) -> bool:
    kind = "member" if asking[0] == MEMBER else "key"
    return (
        rule.asked_by in ("", kind)
        and (rule.accounts is None or rule.accounts.holds(account))
        and (rule.initiators is None or rule.initiators.holds(initiator_id(*asking)))
    )
