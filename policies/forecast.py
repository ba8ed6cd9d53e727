"""What asking will lead to, for the page that asks: how many approvals it takes, and who could give them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from policies import snapshot as gathering
from policies.rules import Asked, Bot, Facts, approvals_needed, eligible, frozen_by, is_locked, may_vouch, members
from policies.rules.language import Demand, Situation
from policies.rules.need_words import LOST, need_words
from policies.snapshot import measured
from policies.workflows import Workflow
from portal.core.display.phrases import counted, listed
from portal.core.errors import Refused

if TYPE_CHECKING:
    from accounts.models import Member


@dataclass(frozen=True, slots=True)
class Forecast:
    """What asking for something in `workflow` would lead to: nought needed means that it runs at once.

    `vouchers` are those of the people who could answer for a key that would withdraw alone, where that is asked (P2).
    `asks` says what it takes where some of it is asked of groups, `short_of` the groups of which too few can approve.
    It then waits for `delay_hours`. `is_denied`: nobody can have it. `depends`: less may do, by amount and destination.
    `frozen` says why nobody can ask for it now.
    """

    workflow: Workflow
    needed: int
    people: tuple[str, ...]
    needs_voucher: bool = False
    vouchers: tuple[str, ...] = ()
    asks: str = ""
    short_of: tuple[str, ...] = ()
    delay_hours: int = 0
    is_denied: bool = False
    depends: bool = False
    frozen: str = ""

    @property
    def at_once(self) -> bool:
        """Whether nobody else has to agree, and nothing has to be waited for."""
        return self.needed == 0 and not self.delay_hours and not self.is_denied and not self.frozen

    @property
    def is_possible(self) -> bool:
        """Whether there are as many people as it takes."""
        return len(self.people) >= self.needed and not self.short_of and not self.is_denied and not self.frozen

    @property
    def level(self) -> Literal["pen", "wait"]:
        """How grave the notice of it is."""
        return "pen" if self.is_possible else "wait"

    @property
    def title(self) -> str:
        """What follows, in one sentence."""
        if self.frozen:
            return "This is frozen now, and cannot be asked."
        if self.is_denied:
            return "The policy denies this."
        if self.at_once:
            return "This happens at once."
        least = "By amount and destination, this waits for up to" if self.depends else "This will wait for"
        return f"{least} {self.asks}."

    @property
    def text(self) -> str:
        """Why, or who decides."""
        if self.frozen:
            return self.frozen
        if self.at_once:
            return f"You hold Execute on {self.workflow.title}, and nothing asks for more."
        if self.is_denied:
            return f"A rule of {self.workflow.title} lets nobody do it, however many agree."
        if self.short_of:
            return f"Too few of {listed(self.short_of)} can approve it as things stand."
        return f"{listed(self.people)} can approve it." if self.people else "Nobody can give it as things stand."


def foresee(asked: Asked, facts: Facts) -> Forecast:
    """What it takes to have this carried out, as things stand.

    Raises: Refused if the policy cannot be read.
    """
    need = approvals_needed(asked, facts.policies)
    able = eligible(asked, facts)
    return Forecast(
        workflow=asked.workflow,
        needed=need.people,
        people=tuple(person.name for person in able),
        needs_voucher=need.voucher,
        vouchers=tuple(person.name for person in able if need.voucher and may_vouch(person, asked)),
        asks=need_words(need.demand, facts.groups),
        short_of=tuple(
            facts.groups.get(group, LOST) for group, count in need.groups if len(members(able, group)) < count
        ),
        delay_hours=need.delay_hours,
        is_denied=need.is_denied,
    )


def foresee_at_least(asked: Asked, facts: Facts) -> Forecast:
    """The same; one approval of nobody where a policy that counts here cannot be read."""
    try:
        return foresee(asked, facts)
    except Refused:
        return Forecast(workflow=asked.workflow, needed=1, people=(), asks=counted(1, "approval"))


def forecast(
    member: "Member",
    workflow: Workflow,
    *,
    facts: Facts | None = None,
    account_id: int | None = None,
    protected: bool = False,
    least: Demand | int = 0,
    frees: "Sequence[Bot]" = (),
    situation: Situation | None = None,
) -> Forecast:
    """What asking for something in `workflow` would need; one approval of nobody where its policy cannot be read.

    `facts` are gathered unless the page has them. `protected`: it would be one of the changes that a locked policy
    protects (P4). `least`, `frees`: as an operation says of itself. `situation` of the withdrawal that it would be;
    without one the most is said that rules could ask of it.
    """
    known = facts or gathering.gather(member.organization)
    asked_least = least if isinstance(least, Demand) else Demand(least)
    depends = situation is None and measured.sums_of_rules(known, workflow) is not None
    asked = Asked(
        workflow,
        gathering.initiator(known, member),
        account_id,
        protected=(protected or bool(frees)) and is_locked(known.policies),
        least=asked_least.approvals,
        of_groups=asked_least.groups,
        frees=frozenset(bot.account_id for bot in frees),
        barred=frozenset().union(*(bot.custodians for bot in frees)),
        situation=situation,
    )
    held_up = frozen_by(known.freezes, workflow, account_id)
    frozen = held_up.words if held_up else ""
    return replace(foresee_at_least(asked, known), depends=depends, frozen=frozen)
