"""Who may finish alone, who may decide, and what could never be finished (DESIGN P1, P2, P5, R3, R4).

Pure: facts in, answer out. `policies.facts` gathers them; nothing here reads the database or the clock.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from policies.workflows import Right, Workflow
from portal.core.errors import Refused

# The identifier by which a key's permission to withdraw is known; the layer that defines it stands above this one.
WITHDRAW: Final = "withdraw-funds"
PASSKEY: Final = "passkey"
MAX_APPROVALS: Final = 20
MAX_OPEN_HOURS: Final = 24 * 30
# More than any pool could fill: what an unreadable policy asks for when shortages are counted.
NEVER: Final = MAX_APPROVALS + 1


@dataclass(frozen=True, slots=True)
class Held:
    """One right of one Member; `account_id` None holds for all Accounts."""

    workflow: str
    right: str
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A Member with what decides about their rights. `user_id` is the person, whom rules count once.

    `is_resting`: their factors were reset so lately that they do not approve money (DESIGN M4).
    """

    member_id: int
    user_id: int
    name: str
    is_active: bool = True
    is_verified: bool = True
    is_resting: bool = False
    factors: frozenset[str] = frozenset()
    grants: frozenset[Held] = frozenset()

    def holds(self, workflow: Workflow, right: Right, account_id: int | None = None) -> bool:
        """Whether any Grant gives `right`; without `account_id`, for some Account."""
        return any(
            held.workflow == workflow
            and held.right in right.given_by
            and (account_id is None or held.account_id is None or held.account_id == account_id)
            for held in self.grants
        )

    def may_initiate(self, workflow: Workflow, account_id: int | None = None) -> bool:
        return self.is_active and self.is_verified and self.holds(workflow, Right.INITIATE, account_id)


@dataclass(frozen=True, slots=True)
class Bot:
    """A Service User. `custodians` are persons who ever held the power of one of its keys."""

    service_user_id: int
    name: str
    account_id: int
    is_active: bool = True
    has_live_key: bool = True
    permissions: frozenset[str] = frozenset()
    custodians: frozenset[int] = frozenset()

    @property
    def may_withdraw(self) -> bool:
        return self.is_active and self.has_live_key and WITHDRAW in self.permissions


Initiator: TypeAlias = Person | Bot


@dataclass(frozen=True, slots=True)
class Terms:
    """A Policy as stored, believed only once `policy_of` has looked at it."""

    workflow: str
    approvals: int
    always: bool
    open_hours: int


@dataclass(frozen=True, slots=True)
class Facts:
    """One Organization as the rules see it."""

    level: str
    accounts: Mapping[int, str] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    bots: tuple[Bot, ...] = ()
    policies: tuple[Terms, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, as far as the rules care. `subject` is the person whom the change is about, if it is about one.

    `gives_withdraw` names the Account from which a key would gain Withdraw. `alone`: whoever may ask finishes alone
    (M3). At `least` so many approvals are needed, and `spared` of them are given in another way (O3).
    """

    workflow: Workflow
    initiator: Initiator
    account_id: int | None = None
    subject: int | None = None
    gives_withdraw: int | None = None
    money: bool = False
    alone: bool = False
    least: int = 0
    spared: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """How many approvals; with `voucher`, one of them from a holder of Execute on Initiate Withdrawal there."""

    approvals: int
    voucher: bool = False


class Reason(Enum):
    """Why somebody cannot decide: as said of them (`cannot: …`), and to them (`You cannot decide: …`)."""

    REMOVED = ("is suspended or removed", "your membership is not active")
    UNVERIFIED = ("identity is not verified", "your identity is not verified yet")
    NO_FACTOR = ("has no second factor", "you have no second factor")
    RESTING = (
        "factors were reset in the last 24 hours",
        "your factors were reset in the last 24 hours, and until then you approve no money",
    )
    NO_PASSKEY = ("has no passkey, which is required here", "you have no passkey, which this Organization requires")
    INITIATOR = ("asked for this", "you asked for this")
    SUBJECT = ("this is about them", "this is about you")
    CUSTODIAN = ("custodian of the key that asks", "you made, widened or revealed the key that asks")
    ONLY_ASKS = ("may ask, not approve", "you may ask here, not approve")
    ONLY_VIEWS = ("may view, not approve", "you may view here, not approve")
    NO_RIGHT = ("holds no right here", "you hold no right here")

    @property
    def they(self) -> str:
        return self.value[0]

    @property
    def you(self) -> str:
        return self.value[1]


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


def approvals_needed(asked: Asked, policies: Collection[Terms]) -> Need:
    """The whole of P2: nought means that the initiator finishes alone.

    Raises: Refused if a policy that counts here cannot be read.
    """
    policy = policy_of(policies, asked.workflow)
    initiator = asked.initiator
    if isinstance(initiator, Bot):
        approvals = policy.approvals if policy else 0
    elif initiator.holds(asked.workflow, Right.EXECUTE, asked.account_id) and not (policy and policy.always):
        approvals = 0
    else:
        approvals = policy.approvals if policy else 1
    if asked.alone:
        return Need(0)
    own = isinstance(initiator, Person) and asked.subject == initiator.user_id
    voucher = _needs_voucher(asked, policies)
    least = max(asked.least, 1 if own or voucher else 0)
    return Need(max(approvals, least) - asked.spared, voucher)


def still_needed(required_then: int, now: Need) -> Need:
    """The larger of what was asked for at creation and what is asked for now (R4, security CR-8)."""
    return Need(max(required_then, now.approvals), now.voucher)


def lost_right(
    initiator: Initiator, workflow: Workflow, account_id: int | None, permission: str, *, approvers_ask: bool = False
) -> str | None:
    """Why `initiator` may not ask for this (any more), or None if they may. A bot needs `permission` on its key."""
    if isinstance(initiator, Bot):
        if not initiator.is_active:
            return f"{initiator.name} is suspended or removed."
        if not permission or permission not in initiator.permissions:
            return f"{initiator.name} has no permission for this."
        return None if initiator.account_id == account_id else f"{initiator.name} belongs to another Account."
    if not initiator.is_active:
        return f"{initiator.name} is suspended or removed."
    if not initiator.is_verified:
        return f"The identity of {initiator.name} is not verified."
    if approvers_ask and initiator.holds(workflow, Right.APPROVE, account_id):
        return None
    if not initiator.holds(workflow, Right.INITIATE, account_id):
        return f"{initiator.name} does not hold Initiate on {workflow.title}."
    return None


def why_not(person: Person, asked: Asked, level: str) -> Reason | None:
    """Why `person` may not decide what is asked, or None if they may (R3)."""
    initiator = asked.initiator
    asker = initiator.user_id if isinstance(initiator, Person) else None
    custodians = initiator.custodians if isinstance(initiator, Bot) else frozenset()
    tests = (
        (not person.is_active, Reason.REMOVED),
        (person.user_id == asker, Reason.INITIATOR),
        (person.user_id == asked.subject, Reason.SUBJECT),
        (person.user_id in custodians, Reason.CUSTODIAN),
        (not person.holds(asked.workflow, Right.APPROVE, asked.account_id), _lack(person, asked)),
        (not person.is_verified, Reason.UNVERIFIED),
        (level == PASSKEY and PASSKEY not in person.factors, Reason.NO_PASSKEY),
        (not person.factors, Reason.NO_FACTOR),
        (asked.money and person.is_resting, Reason.RESTING),
    )
    return next((reason for fails, reason in tests if fails), None)


def eligible(asked: Asked, facts: Facts) -> tuple[Person, ...]:
    """Everybody who may decide what is asked."""
    return tuple(person for person in facts.people if why_not(person, asked, facts.level) is None)


def may_vouch(person: Person, asked: Asked) -> bool:
    """Whether this approver answers for a key that gains Withdraw where nothing governs withdrawals."""
    return person.holds(Workflow.INITIATE_WITHDRAWAL, Right.EXECUTE, asked.gives_withdraw)


def is_met(need: Need, approvers: Collection[Person], asked: Asked) -> bool:
    """Whether these approvals are enough. `approvers` holds each person once, and only who still counts (R4)."""
    vouched = not need.voucher or any(may_vouch(person, asked) for person in approvers)
    return len(approvers) >= need.approvals and vouched


def _needs_voucher(asked: Asked, policies: Collection[Terms]) -> bool:
    account = asked.gives_withdraw
    if account is None or policy_of(policies, Workflow.INITIATE_WITHDRAWAL) is not None:
        return False
    initiator = asked.initiator
    return isinstance(initiator, Bot) or not initiator.holds(Workflow.INITIATE_WITHDRAWAL, Right.EXECUTE, account)


def _lack(person: Person, asked: Asked) -> Reason:
    if person.holds(asked.workflow, Right.INITIATE, asked.account_id):
        return Reason.ONLY_ASKS
    return Reason.ONLY_VIEWS if person.holds(asked.workflow, Right.VIEW, asked.account_id) else Reason.NO_RIGHT


def _is_readable(terms: Terms) -> bool:
    # A row written around the constraints can hold anything, whatever the annotations say.
    kinds = [type(value) for value in (terms.approvals, terms.always, terms.open_hours)]
    return (
        kinds == [int, bool, int] and 1 <= terms.approvals <= MAX_APPROVALS and 1 <= terms.open_hours <= MAX_OPEN_HOURS
    )
