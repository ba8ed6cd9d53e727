"""What changes with the rules of a policy, in words: the rules themselves, and what becomes stricter or weaker."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from policies.operations.policy_words import SAFEGUARDS, compared, has_rules
from policies.rule_words import Names, names_of, sentence
from policies.rule_words.effects import effects, more_words
from policies.rules import Terms
from policies.rules.cells.comparison import compare
from policies.rules.language import Rule
from policies.snapshot import gather
from portal.core.display.descriptions import Fact, FieldChange

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def rule_facts(change: "ChangeRequest", rules: tuple[Rule, ...]) -> tuple[Fact, ...]:
    """Each rule as a sentence, which are idle, and what leaks; of a policy of one number nothing."""
    if not rules:
        return ()
    names = names_of(change.organization, gather(change.organization))
    found = effects((), rules, names)
    said = [Fact(f"Rule {place}", sentence(rule, names)) for place, rule in enumerate(rules, 1)]
    said += [Fact("Idle", f"Others ask for this already: {idle}") for idle in found.idle]
    return (*said, *(Fact("Leaks", leak) for leak in found.leaks))


def changed(change: "ChangeRequest", before: Terms | None, after: Terms | None) -> tuple[FieldChange, ...]:
    """Each field that differs; with rules before or after, these and what they ask in place of the number."""
    fields = compared(before, after)
    if not has_rules(before) and not has_rules(after):
        return fields
    names = names_of(change.organization, gather(change.organization))
    others = tuple(each for each in fields if each.field not in SAFEGUARDS)
    return (*_rules_compared(before, after, names), *_cases_compared(before, after, names), *others)


def weaker(before: Terms, after: Terms) -> bool:
    """Whether in some case less is asked than before."""
    return bool(compare(before.rule_set, after.rule_set).weaker)


def _rules_compared(before: Terms | None, after: Terms | None, names: Names) -> Iterator[FieldChange]:
    """The rules that leave, then those that come; what stays in both is not listed."""
    old, new = Counter(_rules(before)), Counter(_rules(after))
    for rule in (old - new).elements():
        yield FieldChange("Rule", sentence(rule, names), "none")
    for rule in (new - old).elements():
        yield FieldChange("Rule", "none", sentence(rule, names))


def _cases_compared(before: Terms | None, after: Terms | None, names: Names) -> Iterator[FieldChange]:
    """What gets weaker, which is marked, then what gets stricter."""
    found = effects(_rules(before), _rules(after), names)
    for case in found.weaker:
        yield FieldChange(case.condition, case.before, case.after, grows=True)
    if found.more_weaker:
        yield FieldChange("Other cases", "", more_words(found.more_weaker), grows=True)
    for case in found.stricter:
        yield FieldChange(case.condition, case.before, case.after)
    if found.more_stricter:
        yield FieldChange("Other cases", "", more_words(found.more_stricter))


def _rules(terms: Terms | None) -> tuple[Rule, ...]:
    return terms.rule_set if terms else ()
