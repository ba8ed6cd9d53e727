"""What asking will lead to, for the page that asks: how many approvals it takes, and who could give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from policies import snapshot as gathering
from policies.rules import Asked, Bot, Facts, approvals_needed, eligible, is_locked, may_vouch
from policies.workflows import Workflow
from portal.core.display.phrases import counted, listed
from portal.core.errors import Refused

if TYPE_CHECKING:
    from accounts.models import Member


@dataclass(frozen=True, slots=True)
class Forecast:
    """What asking for something in `workflow` would lead to: nought needed means that it runs at once.

    `vouchers` are those of the people who could answer for a key that would withdraw alone, where that is asked (P2).
    """

    workflow: Workflow
    needed: int
    people: tuple[str, ...]
    needs_voucher: bool = False
    vouchers: tuple[str, ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether nobody else has to agree."""
        return self.needed == 0

    @property
    def is_possible(self) -> bool:
        """Whether there are as many people as it takes."""
        return len(self.people) >= self.needed

    @property
    def level(self) -> Literal["pen", "wait"]:
        """How grave the notice of it is."""
        return "pen" if self.is_possible else "wait"

    @property
    def title(self) -> str:
        """What follows, in one sentence."""
        return "This happens at once." if self.at_once else f"This will wait for {counted(self.needed, 'approval')}."

    @property
    def text(self) -> str:
        """Why, or who decides."""
        if self.at_once:
            return f"You hold Execute on {self.workflow.title}, and nothing asks for more."
        return f"{listed(self.people)} can approve it." if self.people else "Nobody can give it as things stand."


def foresee(asked: Asked, facts: Facts) -> Forecast:
    """What it takes to have this carried out, as things stand.

    Raises: Refused if the policy cannot be read.
    """
    need = approvals_needed(asked, facts.policies)
    able = eligible(asked, facts)
    return Forecast(
        workflow=asked.workflow,
        needed=need.approvals,
        people=tuple(person.name for person in able),
        needs_voucher=need.voucher,
        vouchers=tuple(person.name for person in able if need.voucher and may_vouch(person, asked)),
    )


def forecast(
    member: "Member",
    workflow: Workflow,
    *,
    facts: Facts | None = None,
    account_id: int | None = None,
    protected: bool = False,
    least: int = 0,
    frees: "Sequence[Bot]" = (),
) -> Forecast:
    """What asking for something in `workflow` would need; one approval of nobody where its policy cannot be read.

    `facts` are gathered unless the page has them. `protected`: it would be one of the changes that a locked policy
    protects (P4). `least`, `frees`: as an operation says of itself.
    """
    known = facts or gathering.gather(member.organization)
    asked = Asked(
        workflow,
        gathering.initiator(known, member),
        account_id,
        protected=(protected or bool(frees)) and is_locked(known.policies),
        least=least,
        frees=frozenset(bot.account_id for bot in frees),
        barred=frozenset().union(*(bot.custodians for bot in frees)),
    )
    try:
        return foresee(asked, known)
    except Refused:
        return Forecast(workflow=workflow, needed=1, people=())
