"""What rules say of a withdrawal that nobody has asked for yet, by the functions that real requests go through."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from policies.measures import Foreseen, measures
from policies.rule_words import Names, demand_words, sentence
from policies.rule_words.sentences import sum_words
from policies.rules import (
    Asked,
    Facts,
    Initiator,
    Need,
    Person,
    Reason,
    Terms,
    approvals_needed,
    eligible,
    is_met,
    policy_of,
    why_not,
)
from policies.rules.language import AtLeast, Rule, Situation
from policies.simulator.caps import caps_of
from policies.simulator.conditions import first_failed
from policies.workflows import Right, Workflow
from portal.core.display.phrases import counted
from portal.core.money import plain

if TYPE_CHECKING:
    from accounts.models import Organization

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL
NOT_BOUND = "It does not bind members with Execute, and one asks"


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A sum that some rule counts, and what it comes to with this; None: it counts something without a price."""

    words: str
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """One rule by its number; `why_not` says what fails of it first, and is empty where it matches."""

    number: int
    sentence: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many approvals that are asked of some: `who`, empty for all, and those of them who can give one."""

    who: str
    count: int
    able: tuple[Person, ...]

    @property
    def missing(self) -> int:
        """How many more would have to be able to."""
        return max(0, self.count - len({person.user_id for person in self.able}))


@dataclass(frozen=True, slots=True)
class Answer:
    """What would happen. `value` is in the Organization's currency, None where no fresh price is known.

    `barred` hold Approve there, each with why they do not count. `is_possible`: enough people could agree.
    `over_cap` says why who asks may not withdraw as much, whatever the rules say.
    """

    value: Decimal | None
    currency: str
    sums: tuple[LookedAt, ...]
    rules: tuple[RuleSaid, ...]
    need: Need
    asked: str
    wanted: tuple[Wanted, ...]
    barred: tuple[tuple[Person, Reason], ...]
    is_possible: bool
    has_policy: bool
    over_cap: str = ""

    @property
    def matching(self) -> tuple[RuleSaid, ...]:
        """The rules that match."""
        return tuple(rule for rule in self.rules if not rule.why_not)

    @property
    def others(self) -> tuple[RuleSaid, ...]:
        """Those that do not."""
        return tuple(rule for rule in self.rules if rule.why_not)

    @property
    def level(self) -> str:
        """How grave the notice of it is."""
        return "stop" if self.over_cap or self.need.is_denied or not self.is_possible else "pen"

    @property
    def title(self) -> str:
        """What would happen, in one sentence."""
        if self.over_cap:
            return "It is refused before anybody is asked."
        if self.need.is_denied:
            return "It is denied, however many agree."
        if self.need.at_once:
            return "It is sent at once."
        return f"It waits for {self.asked}." if self.is_possible else f"Nobody could finish it: it takes {self.asked}."

    @property
    def text(self) -> str:
        """What that means."""
        if self.over_cap:
            return self.over_cap
        if self.need.is_denied:
            return "A rule that matches says so. Nobody is asked, and nothing is held."
        if not self.is_possible:
            return "As things stand too few may decide. Such a request is refused when it is asked."
        if self.need.delay_hours:
            hours = counted(self.need.delay_hours, "hour")
            return f"It is sent {hours} after the last approval, and everything is looked at again then."
        if self.need.at_once:
            return "Nothing asks for more of who asks here."
        return "It is looked at again when the last one agrees: what leaves meanwhile counts."


def answer(
    organization: "Organization", facts: Facts, terms: Terms | None, what: Foreseen, initiator: Initiator, names: Names
) -> Answer:
    """What a policy, or none, says of `what`, asked by `initiator`.

    Raises: Refused if it cannot be read; NotFound for an Account or asset that there is not.
    """
    terms = policy_of([] if terms is None else [terms], WITHDRAWAL)
    rules = () if terms is None else terms.rule_set
    sums = sorted({each for rule in rules for each in rule.all_sums()})
    caps = caps_of(organization, initiator)
    situation = measures().foreseen(organization, what, {*sums, *caps.sums})
    asked = Asked(WITHDRAWAL, initiator, what.account_id, money=True, situation=situation)
    need = approvals_needed(asked, () if terms is None else (terms,))
    able = eligible(asked, facts)
    return Answer(
        value=_known(situation.value),
        currency=organization.currency,
        sums=tuple(LookedAt(sum_words(AtLeast(each, Decimal(0))), _known(situation.sums[each])) for each in sums),
        rules=tuple(_said(number, rule, situation, asked, names) for number, rule in enumerate(rules, start=1)),
        need=need,
        asked=demand_words(need.demand, names),
        wanted=_wanted(need, able, names),
        barred=_barred(asked, facts),
        is_possible=is_met(need, able, asked),
        has_policy=terms is not None,
        over_cap=caps.over(situation),
    )


def _said(number: int, rule: Rule, situation: Situation, asked: Asked, names: Names) -> RuleSaid:
    failed = first_failed(rule, situation, names)
    return RuleSaid(number, sentence(rule, names), failed or ("" if rule.always or not _is_free(asked) else NOT_BOUND))


def _is_free(asked: Asked) -> bool:
    """Whether only some rules bind who asks (DESIGN P2, M4)."""
    initiator = asked.initiator
    if not isinstance(initiator, Person) or initiator.is_resting:
        return False
    return initiator.holds(WITHDRAWAL, Right.EXECUTE, asked.account_id)


def _wanted(need: Need, able: Sequence[Person], names: Names) -> tuple[Wanted, ...]:
    if need.is_denied:
        return ()
    of_groups = [
        Wanted(names.group(group), count, tuple(person for person in able if group in person.groups))
        for group, count in need.groups
    ]
    of_all = Wanted("", need.approvals, tuple(able))
    is_more = need.approvals > max((count for _, count in need.groups), default=0)
    return (of_all, *of_groups) if is_more else tuple(of_groups)


def _barred(asked: Asked, facts: Facts) -> tuple[tuple[Person, Reason], ...]:
    found = (
        (person, why_not(person, asked, facts.level))
        for person in facts.people
        if person.is_active and person.holds(WITHDRAWAL, Right.APPROVE, asked.account_id)
    )
    return tuple((person, reason) for person, reason in found if reason is not None)


def _known(value: Decimal) -> Decimal | None:
    return Decimal(plain(value)) if value.is_finite() else None
