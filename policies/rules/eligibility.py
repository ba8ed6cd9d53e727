"""Who may ask and who may decide (DESIGN R3, R5), and when the approvals given are enough (R4)."""

from collections.abc import Collection, Iterable, Set
from datetime import datetime
from enum import Enum

from policies.rules.facts import PASSKEY, RESTED, Bot, Facts, Initiator, Person
from policies.rules.quorum import Asked, Need, to_answer_for
from policies.workflows import Right, Workflow


class Reason(Enum):
    """Why somebody cannot decide: as said of them (`cannot: …`), and to them (`You cannot decide: …`)."""

    REMOVED = ("is suspended or removed", "your membership is not active")
    UNVERIFIED = ("identity is not verified", "your identity is not verified yet")
    NO_FACTOR = ("has no second factor", "you have no second factor")
    RESTING = (
        "rests after enrolling anew in the last 24 hours",
        "you rest after enrolling anew in the last 24 hours, and approve nothing of money, access and policies",
    )
    NO_PASSKEY = ("has no passkey, which is required here", "you have no passkey, which this Organization requires")
    INITIATOR = ("asked for this", "you asked for this")
    SUBJECT = ("this is about them", "this is about you")
    CUSTODIAN = ("custodian of the key that asks", "you made, widened or revealed the key that asks")
    GAINS = ("holds a key that would withdraw at once", "you hold a key that would withdraw at once")
    ONLY_ASKS = ("may ask, not approve", "you may ask here, not approve")
    ONLY_VIEWS = ("may view, not approve", "you may view here, not approve")
    NO_RIGHT = ("holds no right here", "you hold no right here")
    ENROLLED_ANEW = ("enrolled new factors since", "you enrolled new factors since")
    CAME_BACK = ("was removed since and has come back", "you were removed since and have come back")

    @property
    def they(self) -> str:
        """As said of somebody: after `cannot: `."""
        return self.value[0]

    @property
    def you(self) -> str:
        """As said to somebody: after `You cannot decide: `."""
        return self.value[1]


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
    return _of_themselves(person, asked) or _of_what_they_hold(person, asked, level)


def _of_themselves(person: Person, asked: Asked) -> Reason | None:
    initiator = asked.initiator
    if not person.is_active:
        return Reason.REMOVED
    if isinstance(initiator, Person) and person.user_id == initiator.user_id:
        return Reason.INITIATOR
    if asked.is_about(person.user_id):
        return Reason.SUBJECT
    if isinstance(initiator, Bot) and person.user_id in initiator.custodians:
        return Reason.CUSTODIAN
    return Reason.GAINS if person.user_id in asked.barred else None


def _of_what_they_hold(person: Person, asked: Asked, level: str) -> Reason | None:
    if not person.holds(asked.workflow, Right.APPROVE, asked.account_id):
        return _lack(person, asked)
    if not person.is_verified:
        return Reason.UNVERIFIED
    if level == PASSKEY and PASSKEY not in person.factors:
        return Reason.NO_PASSKEY
    if not person.factors:
        return Reason.NO_FACTOR
    return Reason.RESTING if asked.workflow in RESTED and person.is_resting else None


def voided(person: Person, given_at: datetime) -> Reason | None:
    """Why the yes that `person` gave then counts no more, though they may decide: for good, or None (M4, SI-8).

    Before their factors were put anew it was perhaps given by whoever had those; before they were removed, it was part
    of what ended with their membership.
    """
    if person.reset_at is not None and person.reset_at >= given_at:
        return Reason.ENROLLED_ANEW
    return Reason.CAME_BACK if person.joined_at is not None and person.joined_at > given_at else None


def eligible(asked: Asked, facts: Facts) -> tuple[Person, ...]:
    """Everybody who may decide what is asked."""
    return tuple(person for person in facts.people if why_not(person, asked, facts.level) is None)


def may_vouch(person: Person, asked: Asked) -> bool:
    """Whether this approver answers for a key that would withdraw at once, from one Account at least."""
    return any(_answers(person, account) for account in to_answer_for(asked))


def is_met(need: Need, approvers: Collection[Person], asked: Asked) -> bool:
    """Whether these approvals are enough, by person. `approvers` holds only those who still count (R4)."""
    accounts = to_answer_for(asked) if need.voucher else frozenset()
    vouched = all(any(_answers(person, account) for person in approvers) for account in accounts)
    agreed = {person.user_id for person in approvers}
    of_groups = all(len(members(approvers, group)) >= count for group, count in need.groups)
    return len(agreed) >= need.approvals and of_groups and vouched and not need.is_denied


def members(people: Iterable[Person], group: int) -> frozenset[int]:
    """Who of `people` is in a group, by person: a yes counts once in each group of theirs (DESIGN P7)."""
    return frozenset(person.user_id for person in people if group in person.groups)


def is_rejected(need: Need, against: Set[int], asked: Asked, facts: Facts) -> bool:
    """Whether the no of these people, at least one, ends it: any one does, but of what only takes power away (R5).

    That goes on until too few are left to approve it, so that nobody keeps one of their own in.
    """
    left = [person for person in eligible(asked, facts) if person.user_id not in against]
    return not asked.takes_power or not is_met(need, left, asked)


def _answers(person: Person, account_id: int) -> bool:
    return person.holds(Workflow.INITIATE_WITHDRAWAL, Right.EXECUTE, account_id)


def _lack(person: Person, asked: Asked) -> Reason:
    if person.holds(asked.workflow, Right.INITIATE, asked.account_id):
        return Reason.ONLY_ASKS
    return Reason.ONLY_VIEWS if person.holds(asked.workflow, Right.VIEW, asked.account_id) else Reason.NO_RIGHT
