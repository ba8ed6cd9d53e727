"""Which requests could nobody finish, and does a change make it worse (DESIGN P5). Pure, as `policies.rules` is."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.rules import NEVER, Asked, Bot, Facts, Initiator, Person, approvals_needed, why_not
from policies.workflows import Workflow
from portal.core.errors import Refused


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

    @property
    def place(self) -> tuple[Workflow, int | None, tuple[str, int]]:
        return (self.workflow, self.account_id, self.who)

    def __str__(self) -> str:
        where = f" from {self.account}" if self.account else ""
        if self.needed >= NEVER:
            return f"{self.workflow.title}{where}: its policy cannot be read."
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


def refuse_grown(before: Facts, after: Facts) -> None:
    """Let a change pass that makes no shortage appear or grow.

    Raises: Refused with the reason and the order that works.
    """
    worse = grown(shortages(before), shortages(after))
    if worse:
        first = max(worse, key=lambda shortage: shortage.missing)
        more = f" {len(worse) - 1} more would be short as well." if len(worse) > 1 else ""
        raise Refused(
            f"This would leave requests that nobody can finish. {first}{more} "
            f"First give Approve on {first.workflow.title} to "
            f"{'one more member' if first.missing == 1 else f'{first.missing} more members'}, then ask again."
        )


def _in_workflow(workflow: Workflow, facts: Facts) -> Iterator[Shortage]:
    nowhere: list[tuple[int | None, str]] = [(None, "")]
    for account_id, account in facts.accounts.items() if workflow.by_account else nowhere:
        # Whoever could approve what a stranger asks. Initiator and custodians are then taken out by person, which
        # spares going through everybody once more for each initiator.
        nobody = Asked(workflow, Bot(0, "", account_id or 0), account_id)
        pool = {person.user_id for person in facts.people if why_not(person, nobody, facts.level) is None}
        for initiator in _initiators(workflow, account_id, facts):
            needed = _needed(Asked(workflow, initiator, account_id), facts)
            missing = needed - len(pool - _barred(initiator))
            if missing > 0:
                yield Shortage(workflow, account_id, account, _who(initiator), initiator.name, needed, missing)


def _initiators(workflow: Workflow, account_id: int | None, facts: Facts) -> Iterator[Initiator]:
    yield from (person for person in facts.people if person.may_initiate(workflow, account_id))
    if workflow is Workflow.INITIATE_WITHDRAWAL:
        yield from (bot for bot in facts.bots if bot.may_withdraw and bot.account_id == account_id)


def _needed(asked: Asked, facts: Facts) -> int:
    try:
        return approvals_needed(asked, facts.policies).approvals
    except Refused:
        return NEVER


def _barred(initiator: Initiator) -> frozenset[int]:
    return frozenset({initiator.user_id}) if isinstance(initiator, Person) else initiator.custodians


def _who(initiator: Initiator) -> tuple[str, int]:
    if isinstance(initiator, Person):
        return ("member", initiator.member_id)
    return ("service_user", initiator.service_user_id)
