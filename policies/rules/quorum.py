"""How many approvals something needs, and of whom (DESIGN P2 to P4, P7, R4): what is asked in, what it takes out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Final

from policies.rules.facts import MAX_APPROVALS, MAX_OPEN_HOURS, Bot, Initiator, Person, Terms
from policies.rules.language import NOTHING, Demand, Rule, Scope, Situation, demand, everything, flaw
from policies.workflows import Right, Workflow
from portal.core.errors import Refused

ONE: Final = Demand(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, as far as the rules care. `subject` is the person whom the change is about, if it is about one;
    `concerned` are those whom it is about where they may be several. `gives_withdraw` names the Accounts from which
    keys would gain Withdraw. `alone`: whoever may ask finishes alone, unless it is `protected`: one of P4's changes,
    while a policy is locked. `takes_power`: it only takes power away (R5). At `least` so many approvals are needed,
    `of_groups` so many of each of these groups among them, and `spared` of them are given in another way (O3). `frees`
    names the Accounts from which keys would send at once afterwards, and `barred` the persons who hold those (P2).
    `situation` is what rules look at; without one they are taken to ask the most that they could.
    """

    workflow: Workflow
    initiator: Initiator
    account_id: int | None = None
    subject: int | None = None
    concerned: frozenset[int] = frozenset()
    gives_withdraw: frozenset[int] = frozenset()
    money: bool = False
    alone: bool = False
    protected: bool = False
    takes_power: bool = False
    frees: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    least: int = 0
    of_groups: tuple[tuple[int, int], ...] = ()
    spared: int = 0
    situation: Situation | None = None

    def is_about(self, user_id: int) -> bool:
        """Whether the change is about that person."""
        return user_id == self.subject or user_id in self.concerned


@dataclass(frozen=True, slots=True)
class Need:
    """What one request takes before it is carried out.

    `approvals`, and of each of `groups` so many among them, by primary key; with `voucher`, for each Account one of
    them from who may execute withdrawals there. Then `delay_hours` have to go by. `is_denied`: no approvals help.
    """

    approvals: int
    voucher: bool = False
    groups: tuple[tuple[int, int], ...] = ()
    delay_hours: int = 0
    is_denied: bool = False

    @property
    def at_once(self) -> bool:
        """Whether nobody else has to agree, and nothing has to be waited for."""
        return not (self.approvals or self.groups or self.delay_hours or self.is_denied)

    @property
    def people(self) -> int:
        """How many different people have to agree at least."""
        return self.demand.people

    @property
    def demand(self) -> Demand:
        """The same, to be compared point by point."""
        return Demand(self.approvals, self.groups, self.is_denied, self.delay_hours)


def policy_of(policies: Iterable[Terms], workflow: Workflow) -> Terms | None:
    """The one policy of `workflow`, or None where it has none (security CR-14).

    Raises: Refused if there is more than one, or it says something a policy cannot say.
    """
    found = [terms for terms in policies if terms.workflow == workflow]
    if not found:
        return None
    if len(found) > 1 or not _is_readable(found[0]):
        raise Refused(
            f"The policy of {workflow.title} cannot be read, so nothing that it governs goes through. "
            "Configure it again, or have the operator look at it."
        )
    return found[0]


def is_locked(policies: Iterable[Terms], workflow: Workflow | None = None) -> bool:
    """Whether the policy of `workflow` is locked, or any policy at all. What says neither yes nor no counts as yes."""
    return any(terms.is_locked is not False for terms in policies if workflow in (None, terms.workflow))


def locked_demand(policies: Collection[Terms]) -> Demand:
    """Everything that any rule of any locked policy could ask, whatever it matches; nothing while none is locked (P4).

    Raises: Refused if a locked policy cannot be read.
    """
    locked = (policy_of(policies, workflow) for workflow in Workflow if is_locked(policies, workflow))
    return reduce(Demand.__or__, (everything(policy.rule_set) for policy in locked if policy), NOTHING)


def lock_names_destinations(policies: Iterable[Terms]) -> bool:
    """Whether a rule of a locked policy looks at where money goes, or since when that is known (P4).

    What cannot be read might, and what says neither yes nor no to being locked counts as yes.
    """
    locked = [terms for terms in policies if terms.is_locked is not False]
    return any(terms.rules is None or any(map(_looks_at_destination, terms.rules)) for terms in locked)


def approvals_needed(asked: Asked, policies: Collection[Terms]) -> Need:
    """The whole of P2, raised by P3, P4 and by rest (M4): nought means that the initiator finishes alone.

    P3 needs no line of its own: a change to a locked policy is one of P4's, and a policy asks for one at least.

    Raises: Refused if a policy that counts here cannot be read.
    """
    policy = policy_of(policies, asked.workflow)
    raised = _raised(policy, policies) if asked.protected else NOTHING
    initiator = asked.initiator
    # Whoever rests finishes nothing alone: as if they might only ask (M4).
    rests = isinstance(initiator, Person) and initiator.is_resting
    if asked.alone:
        least = max(raised.approvals, asked.least, 1 if rests else 0)
        return _need(raised | Demand(groups=asked.of_groups), least)
    by_policy = _by_policy(policy, asked, may_finish=_executes(asked, initiator) and not rests)
    own = isinstance(initiator, Person) and asked.is_about(initiator.user_id)
    voucher = _needs_voucher(asked, policies)
    least = max(asked.least, 1 if own or voucher else 0)
    asks = by_policy | raised | Demand(groups=asked.of_groups)
    # What is given in another way never takes from the number that a lock asks for (O3).
    return _need(asks, max(max(by_policy.approvals, least) - asked.spared, raised.approvals), voucher)


def still_needed(required_then: Demand, now: Need) -> Need:
    """The larger, point by point, of what was asked for at creation and what is asked for now (R4, security CR-8)."""
    both = required_then | now.demand
    return _need(both, both.approvals, now.voucher)


def _need(asked: Demand, approvals: int, voucher: bool = False) -> Need:
    return Need(approvals, voucher, asked.groups, asked.delay_hours, asked.is_denied)


def _looks_at_destination(rule: Rule) -> bool:
    is_summed = any(Scope.DESTINATION in each.scope for each in rule.all_sums())
    return rule.destinations is not None or rule.younger_hours is not None or is_summed


def _raised(policy: Terms | None, policies: Collection[Terms]) -> Demand:
    """What a protected change takes: all that a locked rule could ask, and what its own workflow asks (P4)."""
    return locked_demand(policies) | (everything(policy.rule_set) if policy else NOTHING)


def _by_policy(policy: Terms | None, asked: Asked, *, may_finish: bool) -> Demand:
    """What P2 asks: nothing of who finishes alone and whom no rule binds; one approval at least of everybody else.

    A key needs nobody while no policy governs what it asks.
    """
    if policy is None:
        return Demand(0 if may_finish or isinstance(asked.initiator, Bot) else 1)
    known = asked.situation
    found = (
        demand(policy.rule_set, known, executes=may_finish)
        if known is not None
        else everything(policy.rule_set, executes=may_finish) | _denial(policy, executes=may_finish)
    )
    return found if may_finish else found | ONE


def _denial(policy: Terms, *, executes: bool) -> Demand:
    """Whether its rules deny whatever is asked, as far as they bind."""
    rules = [rule for rule in policy.rule_set if rule.deny and rule.is_plain and (rule.always or not executes)]
    return Demand(is_denied=bool(rules))


def _executes(asked: Asked, initiator: Initiator) -> bool:
    return isinstance(initiator, Person) and initiator.holds(asked.workflow, Right.EXECUTE, asked.account_id)


def to_answer_for(asked: Asked) -> frozenset[int]:
    """The Accounts from which a key would send at once, and whose Execute the initiator does not hold (P2)."""
    accounts = asked.frees | asked.gives_withdraw
    initiator = asked.initiator
    if isinstance(initiator, Bot):
        return accounts
    money = Workflow.INITIATE_WITHDRAWAL
    return frozenset(account for account in accounts if not initiator.holds(money, Right.EXECUTE, account))


def _needs_voucher(asked: Asked, policies: Collection[Terms]) -> bool:
    if not asked.frees and not asked.gives_withdraw:
        return False
    is_governed = not asked.frees and policy_of(policies, Workflow.INITIATE_WITHDRAWAL) is not None
    return not is_governed and bool(to_answer_for(asked))


def _is_readable(terms: Terms) -> bool:
    # A row written around the constraints can hold anything, whatever the annotations say.
    kinds = [type(value) for value in (terms.approvals, terms.always, terms.open_hours, terms.is_locked)]
    in_range = kinds == [int, bool, int, bool] and 1 <= terms.approvals <= MAX_APPROVALS
    return in_range and 1 <= terms.open_hours <= MAX_OPEN_HOURS and _means_something(terms)


def _means_something(terms: Terms) -> bool:
    """Whether its rules are ones that somebody could have written; which groups there are is looked at elsewhere."""
    if not terms.rules:
        return terms.rules is not None
    named = {each.group for rule in terms.rules for each in rule.groups}
    return not flaw(terms.rules, by_amount=terms.workflow == Workflow.INITIATE_WITHDRAWAL, groups=named)
