"""What comes of rules in words: what gets stricter and what weaker, which rules are idle, and what leaks below them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from policies.rule_words.asked import demand_words
from policies.rule_words.names import Names
from policies.rule_words.sentences import SPANS, condition_words, sentence
from policies.rules.cells.comparison import CellChange, compare
from policies.rules.cells.idle import idle
from policies.rules.cells.leaks import Leak, leaks
from policies.rules.language import INFINITE, Demand, Rule, Scope
from portal.core.display.markup import said
from portal.core.display.phrases import counted, listed

# More cases are not read; how many there are is said.
SHOWN: Final = 20
EACH: Final = {
    Scope.ASSET: "in each asset",
    Scope.ACCOUNT: "from each Account",
    Scope.DESTINATION: "to each destination",
    Scope.INITIATOR: "asked by each initiator",
}
SEVERAL: Final = {
    Scope.ASSET: "assets",
    Scope.ACCOUNT: "Accounts",
    Scope.DESTINATION: "destinations",
    Scope.INITIATOR: "initiators",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case in which less is asked than before, or more: when it is so, and what was and would be asked."""

    condition: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Effects:
    """What comes of rules beside those before; of more cases than are shown it is said how many there are."""

    weaker: tuple[Case, ...]
    stricter: tuple[Case, ...]
    more_weaker: int
    more_stricter: int
    idle: tuple[str, ...]
    leaks: tuple[str, ...]


def effects(before: Sequence[Rule], after: Sequence[Rule], names: Names) -> Effects:
    """What becomes of a policy of these rules, or of none, if it has those."""
    found = compare(before, after)
    weaker, stricter = tuple(_cases(found.weaker, names)), tuple(_cases(found.stricter, names))
    return Effects(
        weaker=weaker[:SHOWN],
        stricter=stricter[:SHOWN],
        more_weaker=len(weaker[SHOWN:]),
        more_stricter=len(stricter[SHOWN:]),
        idle=tuple(sentence(after[place], names) for place in idle(after)),
        leaks=tuple(leak_words(leak, after, names) for leak in leaks(after)),
    )


def leak_words(leak: Leak, rules: Sequence[Rule], names: Names) -> str:
    """`Below 100,000 EUR within 24 hours leaves without 2 approvals of Board.`; with what several of a kind do."""
    rule = rules[leak.rule]
    asked = "being denied" if rule.deny else demand_words(Demand.of(rule), names)
    amount = "Any amount" if leak.amount == INFINITE else f"Below {said(leak.amount, names.currency)}"
    if leak.window is None:
        return f"{amount} in each single payment, and any number of them, leaves without {asked}."
    each = "".join(f" {EACH[scope]}" for scope in leak.scope)
    several = f" By several {listed([SEVERAL[scope] for scope in leak.scope])} more does." if leak.scope else ""
    return f"{amount} within {SPANS[leak.window]}{each} leaves without {asked}.{several}"


def more_words(number: int) -> str:
    """`and 3 more cases`."""
    return f"and {counted(number, 'more case')}"


def _cases(found: Sequence[CellChange], names: Names) -> Iterator[Case]:
    """Each case once: what is so for members with Execute and for everybody else alike is said of all."""
    alike = {replace(change, executes=not change.executes) for change in found} & set(found)
    for change in found:
        if change in alike and change.executes:
            continue
        who = "" if change in alike else f" ({'' if change.executes else 'not '}for members with Execute)"
        yield Case(
            f"{condition_words(change.condition, names)}{who}",
            demand_words(change.before, names),
            demand_words(change.after, names),
        )
