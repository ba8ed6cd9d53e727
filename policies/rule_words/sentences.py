"""A rule as one sentence: when it matches, and what it then asks."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from policies.rule_words.asked import demand_words
from policies.rule_words.names import Names
from policies.rules.language import INFINITE, Among, AtLeast, Demand, Rule, Scope, Window
from portal.core.display.markup import said
from portal.core.display.phrases import counted

# More of a list is not read; the rest of it is counted.
NAMED: Final = 3
SAME: Final = {
    Scope.ASSET: "in the same asset",
    Scope.ACCOUNT: "from the same Account",
    Scope.DESTINATION: "to the same destination",
    Scope.INITIATOR: "asked by the same initiator",
}
SPANS: Final = {Window.HOUR: "1 hour", Window.DAY: "24 hours", Window.WEEK: "7 days", Window.MONTH: "30 days"}


def sentence(rule: Rule, names: Names) -> str:
    """`When 100,000 EUR or more leaves: 2 approvals of Finance, also from members with Execute.`"""
    asked = demand_words(Demand.of(rule), names)
    bound = f"also {'to' if rule.deny else 'from'} members with Execute"
    return f"{condition_words(rule, names)}: {asked}, {bound if rule.always else 'unless a member with Execute asks'}."


def condition_words(rule: Rule, names: Names) -> str:
    """When it matches: `When 100,000 EUR or more leaves, asked by a key`; `Whatever is asked` of the plain rule."""
    sums = [_reaches(each, names) for each in rule.sums]
    parts = list(_parts(rule, names))
    if rule.amount is not None:
        parts = [_leaves(rule.amount, names), *parts]
    elif parts:
        parts = [f"money leaves {parts[0]}", *parts[1:]]
    if not parts and not sums:
        return "Whatever is asked"
    return f"When {' and '.join(filter(None, (', '.join(parts), *sums)))}"


def is_shortened(rule: Rule) -> bool:
    """Whether its sentence leaves something out: two rules can then be said alike."""
    lists = (rule.assets, rule.accounts, rule.destinations, rule.initiators)
    return any(among is not None and len(among.values) > NAMED for among in lists)


def sum_words(each: AtLeast) -> str:
    """What a sum counts: `all that leaves within 24 hours to the same destination`."""
    return " ".join(("all that leaves within", SPANS[each.sum.window], *(SAME[scope] for scope in each.sum.scope)))


def either(found: Sequence[str], word: str = "or") -> str:
    """`BTC, ETH or SOL`; of a long list the first three, and how many others there are."""
    shown = list(found[:NAMED])
    others = len(found) - len(shown)
    if others:
        shown.append(counted(others, "other"))
    return f" {word} ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _leaves(amount: Decimal, names: Names) -> str:
    if amount == INFINITE:
        return "money leaves of which nobody knows the price"
    return f"{said(amount, names.currency)} or more leaves"


def _reaches(each: AtLeast, names: Names) -> str:
    if each.amount == INFINITE:
        return f"{sum_words(each)} counts what nobody knows the price of"
    return f"{sum_words(each)} reaches {said(each.amount, names.currency)}"


def _parts(rule: Rule, names: Names) -> Iterator[str]:
    if rule.with_day_sum:
        yield "alone or together with everything of the last 24 hours"
    yield from _among(rule.assets, "in", "anything", names.asset)
    yield from _among(rule.accounts, "from", "any Account", names.account)
    yield from _among(rule.destinations, "to", "any address", names.destination)
    if rule.younger_hours is not None:
        yield f"to an address that has been in the book for less than {counted(rule.younger_hours, 'hour')}"
    if rule.asked_by:
        yield f"asked by a {rule.asked_by}"
    yield from _among(rule.initiators, "asked by", "anyone", names.initiator)


def _among(among: Among | None, before: str, anything: str, called: Callable[[str], str]) -> Iterator[str]:
    if among is None:
        return
    found = sorted((called(value) for value in among.values), key=str.lower)
    yield f"{before} {anything} but {either(found, 'and')}" if among.outside else f"{before} {either(found)}"
