"""Which rules can be meant: what a stored or typed rule is held against before anybody believes it."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from policies.rules.language.rule import Among, Rule

MAX_RULES: Final = 50
MAX_LISTED: Final = 1000
MAX_SUMS: Final = 4
MAX_COUNT: Final = 20
MAX_HOURS: Final = 24 * 30
# What a signed 64-bit column holds in hundredths, with room to add a few up.
MAX_AMOUNT: Final = 10**15
ASKED_BY: Final = ("", "member", "key")


def flaw(rules: Sequence[Rule], *, by_amount: bool, groups: Collection[int]) -> str:
    """Why these rules cannot be a policy, in words for who wrote them; empty if they can.

    `by_amount`: the workflow is the one that moves money; the others take approvals of groups and no conditions.
    """
    if len(rules) > MAX_RULES:
        return f"A policy has {MAX_RULES} rules at most."
    if not by_amount and any(not rule.is_plain or rule.deny or rule.delay_hours for rule in rules):
        return "Only Initiate Withdrawal takes conditions, a delay or Deny."
    return next((trouble for rule in rules for trouble in _flaws(rule, groups)), "")


def _flaws(rule: Rule, groups: Collection[int]) -> Iterator[str]:
    yield from _of_what_is_asked(rule, groups)
    amounts = [each.amount for each in rule.sums] + ([rule.amount] if rule.amount is not None else [])
    if any(not amount.is_finite() or not 0 < amount <= MAX_AMOUNT for amount in amounts):
        yield "An amount is above zero, and below a thousand million millions."
    if any(amount.as_tuple().exponent < -2 for amount in amounts if amount.is_finite()):  # type: ignore[operator]
        yield "An amount has two decimals at most."
    if rule.with_day_sum and rule.amount is None:
        yield "A rule without an amount has no sum that comes along."
    sums = [each.sum for each in rule.sums]
    if len(sums) > MAX_SUMS or len(set(sums)) < len(sums):
        yield f"A rule counts {MAX_SUMS} different sums at most."
    if any(list(each.scope) != sorted(set(each.scope)) for each in sums):
        yield "A sum counts what is equal in each thing once."
    if rule.younger_hours is not None and not 1 <= rule.younger_hours <= MAX_HOURS:
        yield f"The age of an address is 1 to {MAX_HOURS} hours."
    if rule.asked_by not in ASKED_BY:
        yield "A rule is for who asks as a member, or by a key."
    yield from _of_lists((rule.assets, rule.accounts, rule.destinations, rule.initiators))


def _of_what_is_asked(rule: Rule, groups: Collection[int]) -> Iterator[str]:
    counts = [each.count for each in rule.groups]
    if not rule.approvals and not counts and not rule.deny:
        yield "A rule asks for an approval, or denies."
    if rule.deny and (rule.approvals or counts or rule.delay_hours):
        yield "What is denied needs neither approvals nor a delay."
    if not 0 <= rule.approvals <= MAX_COUNT or any(not 1 <= count <= MAX_COUNT for count in counts):
        yield f"Approvals are 1 to {MAX_COUNT}."
    if len({each.group for each in rule.groups}) < len(counts):
        yield "A rule names each group once."
    if any(each.group not in groups for each in rule.groups):
        yield "A rule names a group that there is not."
    if not 0 <= rule.delay_hours <= MAX_HOURS:
        yield f"A delay is 1 to {MAX_HOURS} hours."


def _of_lists(lists: Sequence[Among | None]) -> Iterator[str]:
    for among in lists:
        if among is None:
            continue
        if not among.values:
            yield "A list names one at least."
        if len(among.values) > MAX_LISTED:
            yield f"A list names {MAX_LISTED} at most."
        if list(among.values) != sorted(set(among.values)):
            yield "A list names each once."
