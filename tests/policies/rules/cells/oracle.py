"""What rules mean, said once more and plainly: every request of a small grid is looked at, one after the other.

Nothing of the product is called here; its types only say what a rule is.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import Any, TypeAlias

from policies.rules.language import Rule, Situation, SumOf

Asked: TypeAlias = dict[Any, int]
Request: TypeAlias = dict[str, Any]
HOURS = {"1h": 1, "24h": 24, "7d": 168, "30d": 720}
BELOW = Decimal("0.5")


def conditions(rule: Rule) -> list[list[tuple[Any, Decimal]]]:
    """What has to be reached, in each of the ways there are: the amount under the name of `v`, sums under theirs."""
    sums = [((each.sum.scope, each.sum.window), each.amount) for each in rule.sums]
    if rule.amount is None:
        return [sums]
    return [[*sums, ("v", rule.amount)], *([[*sums, (((), "24h"), rule.amount)]] if rule.with_day_sum else [])]


def is_listed(rule: Rule, request: Request) -> bool:
    """Whether lists, age and who asks are as the rule says."""
    for among, value in (
        (rule.assets, request["asset"]),
        (rule.accounts, request["account"]),
        (rule.destinations, request["destination"]),
        (rule.initiators, request["initiator"]),
    ):
        if among is not None and (value in among.values) == among.outside:
            return False
    if rule.asked_by and (request["initiator"].startswith("service_user:")) != (rule.asked_by == "key"):
        return False
    return rule.younger_hours is None or request["age"] < rule.younger_hours


def is_reached(ways: list[list[tuple[Any, Decimal]]], request: Request) -> bool:
    totals = request["totals"]
    for way in ways:
        for name, amount in way:
            if totals[name] < amount:
                break
        else:
            return True
    return False


def matches(rule: Rule, request: Request) -> bool:
    return is_listed(rule, request) and is_reached(conditions(rule), request)


def outcome(rule: Rule) -> Asked:
    asked: Asked = {each.group: each.count for each in rule.groups}
    asked |= {None: rule.approvals, "deny": int(rule.deny), "delay": rule.delay_hours}
    return {what: number for what, number in asked.items() if number}


class Policy:
    """Rules that thousands of requests are held against: what each of them says is found once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.said = [(rule, conditions(rule), outcome(rule)) for rule in rules]

    def asks(self, request: Request, *, executes: bool = False) -> Asked:
        """What is asked of it: by a policy, of who does not hold Execute, one approval at least."""
        found: Asked = {}
        by_key = request["initiator"].startswith("service_user:")
        if not executes and (self.said or not by_key):
            found[None] = 1
        for rule, ways, asked in self.said:
            if (rule.always or not executes) and is_reached(ways, request) and is_listed(rule, request):
                for what, number in asked.items():
                    found[what] = max(found.get(what, 0), number)
        return found


def is_below(less: Asked, more: Asked) -> bool:
    return all(number <= more.get(what, 0) for what, number in less.items())


def grid(rules: Sequence[Rule]) -> list[Request]:
    """A request from each cell into which the rules cut all that there can be."""
    totals = list(all_totals(rules))
    kinds = [
        sorted({value for rule in rules if (among := getattr(rule, name)) for value in among.values}) + others
        for name, others in (
            ("assets", ["other"]),
            ("accounts", ["99"]),
            ("destinations", ["elsewhere"]),
            ("initiators", ["member:99", "service_user:99"]),
        )
    ]
    ages = [limit - 1 for limit in sorted({rule.younger_hours for rule in rules if rule.younger_hours})] + [9999]
    return [
        {"totals": each, "asset": asset, "account": account, "destination": destination, "initiator": who, "age": age}
        for asset, account, destination, who, age, each in product(*kinds, ages, totals)
    ]


def all_totals(rules: Sequence[Rule]) -> Iterator[dict[Any, Decimal]]:
    """Amount and sums in all ways that can be: a sum counts the payment, and all that a narrower one counts."""
    named = {name for rule in rules for way in conditions(rule) for name, _ in way if name != "v"}
    steps = [BELOW, *sorted({amount for rule in rules for way in conditions(rule) for _, amount in way})]
    names = sorted(named)
    inside = [
        (wide, narrow)
        for wide, narrow in product(names, names)
        if wide != narrow and set(wide[0]) <= set(narrow[0]) and HOURS[wide[1]] >= HOURS[narrow[1]]
    ]
    for amount, *sums in product(steps, repeat=1 + len(names)):
        found = dict(zip(names, sums, strict=True))
        if all(each >= amount for each in sums) and all(found[wide] >= found[narrow] for wide, narrow in inside):
            yield {"v": amount, **found}


def audiences(request: Request) -> tuple[bool, ...]:
    return (False,) if request["initiator"].startswith("service_user:") else (False, True)


def situation(request: Request) -> Situation:
    """The request as the product is told of it."""
    sums = {SumOf(*name): total for name, total in request["totals"].items() if name != "v"}
    return Situation(
        request["totals"]["v"],
        sums,
        request["asset"],
        request["account"],
        request["destination"],
        request["age"],
        request["initiator"],
    )
