"""How many approvals something needs (DESIGN P2 to P4, R4): what is asked goes in, a number comes out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from policies.rules.facts import MAX_APPROVALS, MAX_OPEN_HOURS, Bot, Initiator, Person, Terms
from policies.workflows import Right, Workflow
from portal.core.errors import Refused


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, as far as the rules care. `subject` is the person whom the change is about, if it is about one.

    `gives_withdraw` names the Accounts from which keys would gain Withdraw. `alone`: whoever may ask finishes alone,
    unless it is `protected`: one of P4's changes, while a policy is locked. `takes_power`: it only takes power away
    (R5). At `least` so many approvals are needed, and `spared` of them are given in another way (O3). `frees` names the
    Accounts from which keys would send at once afterwards, and `barred` the persons who hold those (P2).
    """

    workflow: Workflow
    initiator: Initiator
    account_id: int | None = None
    subject: int | None = None
    gives_withdraw: frozenset[int] = frozenset()
    money: bool = False
    alone: bool = False
    protected: bool = False
    takes_power: bool = False
    frees: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    least: int = 0
    spared: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """How many approvals; with `voucher`, for each Account one of them from who may execute withdrawals there."""

    approvals: int
    voucher: bool = False


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


def locked_number(policies: Collection[Terms]) -> int:
    """The largest number of approvals that any locked policy requires; 0 while none is locked (P4).

    Raises: Refused if a locked policy cannot be read.
    """
    locked = (policy_of(policies, workflow) for workflow in Workflow if is_locked(policies, workflow))
    return max((policy.approvals for policy in locked if policy), default=0)


def approvals_needed(asked: Asked, policies: Collection[Terms]) -> Need:
    """The whole of P2, raised by P3, P4 and by rest (M4): nought means that the initiator finishes alone.

    P3 needs no line of its own: a change to a locked policy is one of P4's, and a policy asks for one at least.

    Raises: Refused if a policy that counts here cannot be read.
    """
    policy = policy_of(policies, asked.workflow)
    raised = max(policy.approvals if policy else 0, locked_number(policies)) if asked.protected else 0
    initiator = asked.initiator
    # Whoever rests finishes nothing alone: as if they might only ask (M4).
    rests = isinstance(initiator, Person) and initiator.is_resting
    if asked.alone:
        return Need(max(raised, 1 if rests else 0))
    if isinstance(initiator, Bot):
        approvals = policy.approvals if policy else 0
    elif _executes(asked, initiator) and not rests and not (policy and policy.always):
        approvals = 0
    else:
        approvals = policy.approvals if policy else 1
    own = isinstance(initiator, Person) and asked.subject == initiator.user_id
    voucher = _needs_voucher(asked, policies)
    least = max(asked.least, 1 if own or voucher else 0)
    # What is given in another way never takes from the number that a lock asks for (O3).
    return Need(max(max(approvals, least) - asked.spared, raised), voucher)


def still_needed(required_then: int, now: Need) -> Need:
    """The larger of what was asked for at creation and what is asked for now (R4, security CR-8)."""
    return Need(max(required_then, now.approvals), now.voucher)


def _executes(asked: Asked, initiator: Person) -> bool:
    return initiator.holds(asked.workflow, Right.EXECUTE, asked.account_id)


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
    return in_range and 1 <= terms.open_hours <= MAX_OPEN_HOURS
