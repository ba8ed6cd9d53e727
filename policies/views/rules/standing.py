"""What every page of rules looks at: the policy in force, the reader's draft, and what people call what they name."""

from dataclasses import dataclass
from functools import cached_property

from policies import drafts
from policies import snapshot as gathering
from policies.measures import measures
from policies.models import PolicyDraft
from policies.rule_words import Names, names_of, sentence
from policies.rules import Facts, Terms
from policies.rules.cells.idle import idle
from policies.rules.language import Rule
from policies.workflows import Workflow
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as a sentence. `key` names it in a draft, `is_idle`: others ask for all that it asks."""

    key: str
    said: str
    is_idle: bool


class Standing:
    """One workflow's rules as they stand. `terms` is the policy in force, believed or not; None without one."""

    def __init__(self, request: MemberRequest, workflow: Workflow, *, bots: bool = False) -> None:
        self.request, self.workflow = request, workflow
        self.facts: Facts = gathering.gather(request.organization, bots=bots)
        self.terms: Terms | None = next((each for each in self.facts.policies if each.workflow == workflow), None)

    @property
    def is_by_amount(self) -> bool:
        """Whether rules of this workflow have conditions."""
        return self.workflow is Workflow.INITIATE_WITHDRAWAL

    @property
    def is_unreadable(self) -> bool:
        """Whether nobody can say what is in force."""
        return self.terms is not None and self.terms.rules is None

    @cached_property
    def names(self) -> Names:
        """What people call what rules name."""
        return names_of(self.request.organization, self.facts)

    @cached_property
    def in_force(self) -> tuple[Rule, ...]:
        """The rules that count now; none without a policy, or where they cannot be read."""
        return () if self.terms is None or self.is_unreadable else self.terms.rule_set

    @cached_property
    def draft(self) -> PolicyDraft | None:
        """The reader's own draft."""
        return drafts.find(self.request.member, self.workflow)

    @cached_property
    def drafted(self) -> tuple[Rule, ...] | None:
        """Its rules; None without a draft, or where they cannot be read."""
        return drafts.rules_of(self.draft) if self.draft is not None else None

    @cached_property
    def is_unpriced(self) -> bool:
        """Whether nothing has a price in the Organization's currency, so that every amount is reached."""
        return self.is_by_amount and not measures().is_priced(self.request.organization)

    @property
    def is_overtaken(self) -> bool:
        """Whether the policy in force is another one than the draft was begun from."""
        return self.draft is not None and self.draft.base != drafts.base_of(self.terms)

    def lines(self, rules: tuple[Rule, ...]) -> list[Line]:
        """Rules as the page shows them."""
        unneeded = set(idle(rules))
        return [
            Line(drafts.key_of(rule), sentence(rule, self.names), place in unneeded) for place, rule in enumerate(rules)
        ]
