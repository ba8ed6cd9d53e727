"""Which policies ask for approvals of a group (DESIGN P7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.models import PolicyDraft
from policies.rules import Terms
from policies.rules.language import Rule
from policies.snapshot.stored_rules import read_rules
from policies.workflows import Workflow
from portal.core.display.phrases import counted

if TYPE_CHECKING:
    from accounts.models import Organization


@dataclass(frozen=True, slots=True)
class Asks:
    """What one policy asks of a group: in its `rules` that name it, in order, `count` approvals at the most.

    A policy that cannot be read asks for nobody knows what: it has no rules here, and `count` is 0.
    """

    workflow: Workflow
    count: int
    rules: tuple[Rule, ...]
    is_locked: bool

    @property
    def words(self) -> str:
        """`Initiate Withdrawal: up to 2 approvals, locked`."""
        if not self.rules:
            return f"{self.workflow.title}: its policy cannot be read"
        always = all(rule.is_plain for rule in self.rules)
        locked = ", locked" if self.is_locked else ""
        return f"{self.workflow.title}: {'' if always else 'up to '}{counted(self.count, 'approval')}{locked}"


def asks_for(group_id: int, policies: Iterable[Terms]) -> tuple[Asks, ...]:
    """The policies that name the group, workflow by workflow; one that cannot be read may."""
    found = [(workflow, terms) for terms in policies for workflow in Workflow if terms.workflow == workflow]
    return tuple(_asks(workflow, terms, group_id) for workflow, terms in found if is_named(group_id, (terms,)))


def is_named(group_id: int, policies: Iterable[Terms]) -> bool:
    """Whether any of these policies asks for the group, or may: nobody knows what one says that cannot be read."""
    return any(terms.rules is None or bool(_naming(group_id, terms.rules)) for terms in policies)


def drafting(organization: "Organization", group_id: int) -> "tuple[PolicyDraft, ...]":
    """The drafts that name the group, of those who can still ask for what they write."""
    drafts = PolicyDraft.objects.filter(organization=organization, author__removed_at=None)
    return tuple(
        draft
        for draft in drafts.select_related("author__user").order_by("pk")
        if draft.author.is_active and _naming(group_id, read_rules(draft.rules) or ())
    )


def is_named_by_lock(group_id: int, policies: Iterable[Terms]) -> bool:
    """Whether a locked policy does. What says neither yes nor no to being locked counts as yes."""
    return is_named(group_id, (terms for terms in policies if terms.is_locked is not False))


def _naming(group_id: int, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if any(asked.group == group_id for asked in rule.groups))


def _asks(workflow: Workflow, terms: Terms, group_id: int) -> Asks:
    rules = _naming(group_id, terms.rules or ())
    counts = [asked.count for rule in rules for asked in rule.groups if asked.group == group_id]
    return Asks(workflow, max(counts, default=0), rules, terms.is_locked is not False)
