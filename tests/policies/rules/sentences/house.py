"""A payment, some people and an Organization whose policy is a few rules, to say the reference by."""

from decimal import Decimal
from typing import Any

from policies.rules import Facts, Held, Person, Terms
from policies.rules.language import (
    MEMBER,
    SERVICE_USER,
    GroupApprovals,
    Rule,
    Scope,
    Situation,
    SumOf,
    Window,
    initiator_id,
)
from policies.workflows import Right, Workflow

ACCESS, POLICIES = Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES
MONEY = Workflow.INITIATE_WITHDRAWAL
FINANCE, BOARD = 1, 2
GROUPS = {FINANCE: "Finance", BOARD: "Board"}
SMALL = Rule(approvals=1)
LARGE = Rule(approvals=2, groups=(GroupApprovals(FINANCE, 2),), amount=Decimal(100))
ANA, KEY = initiator_id(MEMBER, 1), initiator_id(SERVICE_USER, 5)


def payment(value=1, **fields: Any) -> Situation:
    """Of BTC from Account 1 to an old address, asked by Ana; every sum is the payment alone."""
    sums = {SumOf(scope, window): Decimal(value) for window in Window for scope in ((), (Scope.ASSET,))}
    known: dict[str, Any] = {"asset": "BTC", "account": "1", "destination": "here", "age_hours": 999, "initiator": ANA}
    return Situation(Decimal(value), **({"sums": sums} | known | fields))


def someone(number: int, *rights: Right, groups: tuple[int, ...] = (), workflows=tuple(Workflow)) -> Person:
    held = frozenset(Held(workflow, right) for workflow in workflows for right in rights)
    return Person(number, number, f"P{number}", factors=frozenset({"totp"}), grants=held, groups=frozenset(groups))


def house(*people: Person, rules: tuple[Rule, ...] = (), workflow=MONEY, locked=False) -> Facts:
    policies = (Terms(workflow, 1, True, 72, locked, rules),) if rules else ()
    return Facts("any", {1: "Main"}, people, (), policies, groups=GROUPS)


ASKER = someone(1, Right.INITIATE)
APPROVERS = tuple(someone(number, Right.APPROVE, groups=(FINANCE,)) for number in (2, 3, 4))
