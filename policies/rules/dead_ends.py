"""Which requests could nobody finish, and does a change make it worse (DESIGN P5).

Every workflow, Account and possible initiator is counted against the most that P2 to P4 can ask of them. Rest after a
reset ends by itself within a day, so it is no shortage; the acceptance of O3 is asked when a transfer is opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.rules.eligibility import Reason, why_not
from policies.rules.facts import NEVER, Bot, Facts, Initiator, Person
from policies.rules.quorum import Asked, approvals_needed, is_locked
from policies.workflows import Right, Workflow
from portal.core.display.phrases import counted
from portal.core.errors import Refused

# The workflows in which a change can be protected (P4).
PROTECTED: Final = frozenset({Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES})
# The place of a shortage of everybody who could ask.
ANYBODY: Final = ("anybody", 0)
# Why somebody who holds Approve does not count, where somebody can do something about it.
CURABLE: Final = frozenset({Reason.REMOVED, Reason.UNVERIFIED, Reason.NO_FACTOR, Reason.NO_PASSKEY})


@dataclass(frozen=True, slots=True)
class Shortage:
    """`missing` approvers too few for what `initiator` may ask in `workflow` (of `account`, where it has one)."""

    workflow: Workflow
    account_id: int | None
    account: str
    who: tuple[str, int]
    initiator: str
    needed: int
    missing: int
    nobody_asks: bool = False

    @property
    def place(self) -> tuple[Workflow, int | None, tuple[str, int]]:
        """By what the same shortage is found again after a change: workflow, Account, and who asks."""
        return (self.workflow, self.account_id, self.who)

    def __str__(self) -> str:
        where = f" from {self.account}" if self.account else ""
        if self.needed >= NEVER:
            return f"{self.workflow.title}{where}: its policy cannot be read."
        if self.nobody_asks:
            return f"Nobody would be left who may ask for anything in {self.workflow.title}."
        return (
            f"{self.workflow.title}{where}, asked by {self.initiator}, would need {self.needed} "
            f"{'approval' if self.needed == 1 else 'approvals'}, and {self.missing} "
            f"{'approver is' if self.missing == 1 else 'approvers are'} missing."
        )


def shortages(facts: Facts) -> tuple[Shortage, ...]:
    """Every workflow, Account and possible initiator for which too few could approve."""
    return tuple(found for workflow in Workflow for found in _in_workflow(workflow, facts))


def grown(before: tuple[Shortage, ...], after: tuple[Shortage, ...]) -> tuple[Shortage, ...]:
    """Those shortages that are new or larger afterwards; one that stays or shrinks is no reason to refuse."""
    missing = {shortage.place: shortage.missing for shortage in before}
    return tuple(shortage for shortage in after if shortage.missing > missing.get(shortage.place, 0))


def worse(before: Facts, after: Facts) -> tuple[Shortage, ...]:
    """What a change from `before` to `after` would be refused for; that nobody at all could ask any more counts too."""
    each = grown(shortages(before), shortages(after))
    return each or grown(standstill(before), standstill(after))


def standstill(facts: Facts) -> tuple[Shortage, ...]:
    """What is missing where no initiator at all could get a change of access through: it would stay so for ever.

    Only there: whoever gets one through can give every other right again.
    """
    workflow = Workflow.MANAGE_ACCESS
    able = pool(workflow, None, facts)
    numbers = [(needed(workflow, one, None, facts), one) for one in initiators(workflow, None, facts)]
    missing = [(max(0, number - len(able - barred(one))), number) for number, one in numbers]
    least, number = min(missing, default=(1, 1))
    if not least:
        return ()
    return (Shortage(workflow, None, "", ANYBODY, "anybody", number, least, nobody_asks=not missing),)


def refuse_grown(before: Facts, after: Facts) -> None:
    """Let a change pass that makes no shortage appear or grow.

    Raises: Refused with the reason and the order that works.
    """
    short = worse(before, after)
    if short:
        first = max(short, key=lambda shortage: shortage.missing)
        more = f" {len(short) - 1} more would be short as well." if len(short) > 1 else ""
        raise Refused(f"This would leave requests that nobody can finish. {first}{more} {_order(first, after)}")


def _order(shortage: Shortage, facts: Facts) -> str:
    """What to do first, so that the same change passes afterwards."""
    if shortage.needed >= NEVER:
        return "First configure that policy again, or have the operator look at it."
    if shortage.nobody_asks:
        return f"First give Initiate on {shortage.workflow.title} to 1 more member, then ask again."
    people = counted(shortage.missing, "more member")
    order = f"First give Approve on {shortage.workflow.title} to {people}, then ask again."
    stranger = _stranger(shortage.workflow, shortage.account_id)
    held_up = [
        f"{person.name} {reason.they}"
        for person in facts.people
        if (reason := why_not(person, stranger, facts.level)) in CURABLE
        and person.holds(shortage.workflow, Right.APPROVE, shortage.account_id)
    ]
    return f"{order} Whoever holds it already but does not count: {'; '.join(held_up)}." if held_up else order


def _in_workflow(workflow: Workflow, facts: Facts) -> Iterator[Shortage]:
    nowhere: list[tuple[int | None, str]] = [(None, "")]
    for account_id, account in facts.accounts.items() if workflow.by_account else nowhere:
        # Whoever could approve what a stranger asks. Initiator and custodians are then taken out by person, which
        # spares going through everybody once more for each initiator.
        able = pool(workflow, account_id, facts)
        worst: dict[tuple[str, int], Shortage] = {}
        for initiator in initiators(workflow, account_id, facts):
            number = needed(workflow, initiator, account_id, facts)
            missing = number - len(able - barred(initiator))
            who = _who(initiator)
            if missing > (worst[who].missing if who in worst else 0):
                worst[who] = Shortage(workflow, account_id, account, who, initiator.name, number, missing)
        yield from worst.values()


def pool(workflow: Workflow, account_id: int | None, facts: Facts) -> frozenset[int]:
    """Whoever could approve there what a stranger asks, by person."""
    stranger = _stranger(workflow, account_id)
    return frozenset(person.user_id for person in facts.people if why_not(person.awake, stranger, facts.level) is None)


def _stranger(workflow: Workflow, account_id: int | None) -> Asked:
    return Asked(workflow, Bot(0, "", account_id or 0), account_id)


def initiators(workflow: Workflow, account_id: int | None, facts: Facts) -> Iterator[Initiator]:
    """Whoever may ask there: Members who may initiate, and bots that may withdraw, once for each of their keys."""
    yield from (person.awake for person in facts.people if person.may_initiate(workflow, account_id))
    if workflow is Workflow.INITIATE_WITHDRAWAL:
        for bot in facts.bots:
            if bot.may_withdraw and bot.account_id == account_id:
                yield from bot.through_each()


def needed(workflow: Workflow, initiator: Initiator, account_id: int | None, facts: Facts) -> int:
    """The most that can be asked of `initiator` there: while a policy is locked, what a protected change asks."""
    protected = workflow in PROTECTED and is_locked(facts.policies)
    asked = Asked(workflow, initiator, account_id, protected=protected)
    try:
        return approvals_needed(asked, facts.policies).approvals
    except Refused:
        return NEVER


def barred(initiator: Initiator) -> frozenset[int]:
    """The persons who never approve what it asks: itself, or the custodians of its key."""
    return frozenset({initiator.user_id}) if isinstance(initiator, Person) else initiator.custodians


def _who(initiator: Initiator) -> tuple[str, int]:
    if isinstance(initiator, Person):
        return ("member", initiator.member_id)
    return ("service_user", initiator.service_user_id)
