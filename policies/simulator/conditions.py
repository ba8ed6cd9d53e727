"""Why a rule does not match a withdrawal: the first of its conditions that fails, in words."""

from collections.abc import Callable, Iterator
from typing import Final

from policies.rule_words import Names
from policies.rule_words.sentences import sum_words
from policies.rules.language import INFINITE, Among, Rule, Situation, SumOf
from portal.core.display.markup import said
from portal.core.display.phrases import counted

NOT_IN_A_BOOK: Final = "An address that is not in the book"


def first_failed(rule: Rule, situation: Situation, names: Names) -> str:
    """`All that leaves within 24 hours is below 20,000 EUR`; empty where the rule matches."""
    return next(_failed(rule, situation, names), "")


def _failed(rule: Rule, situation: Situation, names: Names) -> Iterator[str]:
    if rule.amount is not None and situation.value < rule.amount and not _by_day_sum(rule, situation):
        also = ", also with all that leaves within 24 hours" if rule.with_day_sum else ""
        yield f"It is below {said(rule.amount, names.currency)}{also}"
    for each in rule.sums:
        if situation.sums.get(each.sum, INFINITE) < each.amount:
            words = sum_words(each)
            yield f"{words[0].upper()}{words[1:]} is below {said(each.amount, names.currency)}"
    yield from _outside(rule.assets, situation.asset, names.asset, "assets")
    yield from _outside(rule.accounts, situation.account, names.account, "Accounts")
    yield from _outside(rule.destinations, situation.destination, _destination(names), "addresses")
    if rule.younger_hours is not None and situation.age_hours >= rule.younger_hours:
        yield f"The address has been in the book for {counted(rule.younger_hours, 'hour')} or longer"
    if rule.asked_by not in ("", situation.asked_by):
        yield f"A {situation.asked_by} asks, and it is about who asks as a {rule.asked_by}"
    yield from _outside(rule.initiators, situation.initiator, names.initiator, "initiators")


def _by_day_sum(rule: Rule, situation: Situation) -> bool:
    """Whether the sum that comes along with the amount reaches it."""
    if not rule.with_day_sum or rule.amount is None:
        return False
    return situation.sums.get(SumOf(), INFINITE) >= rule.amount


def _outside(among: Among | None, value: str, called: Callable[[str], str], many: str) -> Iterator[str]:
    if among is not None and not among.holds(value):
        left_out = f"is one of the {many} that it leaves out"
        yield f"{called(value)} {left_out if among.outside else f'is none of the {many} that it names'}"


def _destination(names: Names) -> Callable[[str], str]:
    return lambda value: names.destination(value) if value else NOT_IN_A_BOOK
