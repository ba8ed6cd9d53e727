"""What changes with the rules of a policy, in words: the rules themselves, and what becomes stricter or weaker."""

from collections import Counter
from typing import TYPE_CHECKING

from policies.operations.policy_words import SAFEGUARDS, compared, has_rules
from policies.rule_words import names_of, sentence
from policies.rules import Terms
from policies.rules.language import Rule, everything
from policies.snapshot import gather
from portal.core.display.descriptions import Fact, FieldChange

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def rule_facts(change: "ChangeRequest", rules: tuple[Rule, ...]) -> tuple[Fact, ...]:
    """Each rule as a sentence; of a policy of one number none."""
    if not rules:
        return ()
    names = names_of(change.organization, gather(change.organization))
    return tuple(Fact(f"Rule {place}", sentence(rule, names)) for place, rule in enumerate(rules, 1))


def changed(change: "ChangeRequest", before: Terms | None, after: Terms | None) -> tuple[FieldChange, ...]:
    """Each field that differs; with rules before or after, these in place of the number that follows from them."""
    fields = compared(before, after)
    if not has_rules(before) and not has_rules(after):
        return fields
    return (*_rules_compared(change, before, after), *(each for each in fields if each.field not in SAFEGUARDS))


def _rules_compared(change: "ChangeRequest", before: Terms | None, after: Terms | None) -> tuple[FieldChange, ...]:
    """The rules that leave, then those that come; what stays in both is not listed."""
    names = names_of(change.organization, gather(change.organization))
    old, new = Counter(_rules(before)), Counter(_rules(after))
    # Without a policy nothing is asked any more; else what gets weaker is said case by case.
    grows = after is None
    gone = tuple(FieldChange("Rule", sentence(rule, names), "none", grows) for rule in (old - new).elements())
    come = tuple(FieldChange("Rule", "none", sentence(rule, names)) for rule in (new - old).elements())
    return gone + come


def weaker(before: Terms, after: Terms) -> bool:
    """Whether something is asked less of than before."""
    return not all(
        everything(before.rule_set, executes=executes) <= everything(after.rule_set, executes=executes)
        for executes in (False, True)
    )


def _rules(terms: Terms | None) -> tuple[Rule, ...]:
    return terms.rule_set if terms else ()
