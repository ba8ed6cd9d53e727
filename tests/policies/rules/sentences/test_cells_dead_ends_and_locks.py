"""The reference of rules (DESIGN P7), sentence by sentence: cells, dead ends and locks."""

from dataclasses import replace
from decimal import Decimal

import pytest

from policies.rules import Asked, Need, Terms, approvals_needed
from policies.rules.binding_changes import least_to_configure, least_to_lock
from policies.rules.cells.comparison import compare
from policies.rules.cells.idle import idle
from policies.rules.dead_ends import refuse_grown, shortages, standstill, worse
from policies.rules.language import (
    NOTHING,
    Among,
    Demand,
    GroupApprovals,
    Rule,
    demand,
)
from policies.rules.spare_approvers import spare_people
from policies.rules.stages import Stage, meaning_for, stage_of
from policies.rules.what_if import locked, prospect
from policies.workflows import Right
from portal.core.errors import Refused
from tests.policies.rules.sentences.house import (
    ACCESS,
    APPROVERS,
    ASKER,
    BOARD,
    FINANCE,
    LARGE,
    MONEY,
    SMALL,
    house,
    payment,
    someone,
)

# Cells


def test_what_is_asked_is_the_same_throughout_a_cell():
    assert demand((SMALL, LARGE), payment(100)) == demand((SMALL, LARGE), payment(10**9))
    assert demand((SMALL, LARGE), payment(1)) == demand((SMALL, LARGE), payment("99.99"))


def test_a_draft_is_weaker_exactly_if_it_asks_for_less_in_some_cell():
    assert not compare((SMALL, LARGE), (LARGE, SMALL)).weaker
    assert compare((SMALL, LARGE), (SMALL, replace(LARGE, amount=Decimal(101)))).weaker
    assert not compare((SMALL, LARGE), (SMALL, replace(LARGE, amount=Decimal(99)))).weaker
    assert compare((SMALL, LARGE), (SMALL, replace(LARGE, always=False))).weaker


def test_it_is_shown_cell_by_cell():
    after = (SMALL, replace(LARGE, assets=Among(("BTC",))))
    found = compare((SMALL, LARGE), after)
    cell = Rule(amount=Decimal(100), assets=Among(("BTC",), outside=True))
    assert {(each.condition, each.executes) for each in found.weaker} == {(cell, False), (cell, True)}
    assert {(each.before, each.after) for each in found.weaker} == {(Demand.of(LARGE), Demand(1))}
    assert not found.stricter


def test_a_rule_that_others_ask_for_already_in_each_of_its_cells_is_idle():
    by_member, by_key = Rule(approvals=2, asked_by="member"), Rule(approvals=3, asked_by="key")
    assert idle((by_member, by_key, Rule(approvals=2, amount=Decimal(9)))) == (2,)
    assert idle((by_member, Rule(approvals=2, amount=Decimal(9)))) == ()
    assert idle((LARGE, LARGE)) == (1,)


# Dead ends


def test_in_each_cell_that_is_not_denied_enough_of_each_group_can_decide():
    enough = house(ASKER, *APPROVERS, rules=(SMALL, LARGE))
    assert not shortages(enough)
    [short] = shortages(house(ASKER, *APPROVERS[:1], someone(7, Right.APPROVE), rules=(SMALL, LARGE)))
    assert (short.group, short.missing, short.cell) == (FINANCE, 1, Rule(amount=Decimal(100)))
    assert str(short) == (
        "Initiate Withdrawal from Main of 100 or more, asked by P1, would need 2 of Finance, and 1 approver is missing."
    )


def test_counting_is_enough():
    """Whoever may decide and is in both groups counts in both: no one of them is used up."""
    both = (someone(2, Right.APPROVE, groups=(FINANCE, BOARD)),)
    rule = Rule(groups=(GroupApprovals(FINANCE, 1), GroupApprovals(BOARD, 1)))
    assert not shortages(house(ASKER, *both, rules=(rule,)))


def test_a_shortage_neither_appears_nor_grows():
    rules = (SMALL, LARGE)
    before, after = house(ASKER, *APPROVERS, rules=rules), house(ASKER, *APPROVERS[:1], rules=rules)
    with pytest.raises(Refused, match="would need 2 of Finance, and 1 approver is missing") as refused:
        refuse_grown(before, after)
    assert "1 more would be short as well" in refused.value.message
    assert "to Finance, then ask again" in refused.value.message
    refuse_grown(after, after)
    refuse_grown(after, before)
    higher = house(ASKER, *APPROVERS[:1], rules=(SMALL, replace(LARGE, amount=Decimal(99))))
    assert {each.cell for each in worse(after, higher)} == {Rule(amount=Decimal(99))}


def test_a_lock_is_a_dead_end_where_those_whom_its_rules_name_approve_no_change_of_access():
    only_money = (someone(number, Right.APPROVE, groups=(FINANCE,), workflows=(MONEY,)) for number in (2, 3))
    others = (someone(number, Right.APPROVE) for number in (4, 5))
    before = house(ASKER, *only_money, *others, rules=(SMALL, LARGE))
    with pytest.raises(Refused, match=r"Manage Access, asked by P1, would need 2 of Finance, and 2 approvers are"):
        refuse_grown(before, locked(before, MONEY))


def test_what_nobody_can_bring_about_in_manage_access_is_counted_by_group():
    rule = (Rule(groups=(GroupApprovals(FINANCE, 2),)),)
    assert not standstill(house(ASKER, *APPROVERS[:2], rules=rule, workflow=ACCESS))
    [stuck] = standstill(house(ASKER, APPROVERS[0], someone(7, Right.APPROVE), rules=rule, workflow=ACCESS))
    assert stuck.missing == 1


def test_who_could_be_away_is_counted_by_group():
    rules = (Rule(groups=(GroupApprovals(FINANCE, 2),)),)
    facts = house(ASKER, *APPROVERS, someone(7, Right.APPROVE), rules=rules)
    assert prospect(facts, ASKER, MONEY, 1).spare == 1
    assert spare_people(facts, MONEY, 1) == 0, "without the one who asks nobody does"
    two = house(ASKER, someone(8, Right.INITIATE), *APPROVERS[:1], someone(7, Right.APPROVE), rules=rules)
    assert prospect(two, ASKER, MONEY, 1).missing == 1
    assert spare_people(two, MONEY, 1) == -1


def test_deny_is_no_dead_end():
    denied = (SMALL, Rule(approvals=9, amount=Decimal(200)), Rule(deny=True, amount=Decimal(100)))
    assert not shortages(house(ASKER, *APPROVERS, rules=denied))
    lifted = house(ASKER, *APPROVERS, rules=denied[:2])
    assert [each.missing for each in worse(house(ASKER, *APPROVERS, rules=denied), lifted)] == [6]


@pytest.mark.parametrize(
    ("rule", "least"),
    [
        (Rule(deny=True, amount=Decimal(100)), Demand(1)),
        (Rule(approvals=1, delay_hours=24), Demand(1)),
        (Rule(approvals=1, delay_hours=12, amount=Decimal(100)), Demand(1)),
        (Rule(approvals=3), NOTHING),
    ],
)
def test_adding_deny_or_a_delay_never_runs_at_once(rule, least):
    alone = someone(9, Right.EXECUTE)
    facts = house(ASKER, alone, *APPROVERS, rules=(SMALL,))
    terms = Terms(MONEY, 1, True, 72, rules=(SMALL, rule))
    assert least_to_configure(facts, terms, alone) == least
    again = replace(facts, policies=(terms,))
    assert least_to_configure(again, terms, alone) == NOTHING, "it is so already"


# Locks


def test_a_protected_change_asks_for_all_that_any_locked_rule_could_ask():
    rules = (
        SMALL,
        LARGE,
        Rule(groups=(GroupApprovals(BOARD, 1),), approvals=1, delay_hours=24, assets=Among(("ETH",))),
    )
    locked = house(ASKER, *APPROVERS, rules=(*rules, Rule(deny=True, amount=Decimal(500))), locked=True)
    need = approvals_needed(Asked(ACCESS, ASKER, protected=True), locked.policies)
    assert need.demand == Demand(2, ((FINANCE, 2), (BOARD, 1)), False, 24)
    assert approvals_needed(Asked(ACCESS, ASKER), locked.policies) == Need(1)


def test_and_for_what_its_own_workflow_asks():
    own = Terms(ACCESS, 3, True, 72)
    locked = house(ASKER, rules=(SMALL, LARGE), locked=True).policies
    need = approvals_needed(Asked(ACCESS, ASKER, protected=True), (own, *locked))
    assert need.demand == Demand(3, ((FINANCE, 2),))


def test_a_lock_asks_for_as_many_as_it_asks_for_afterwards_group_by_group():
    facts = house(ASKER, *APPROVERS, rules=(SMALL, LARGE))
    assert least_to_lock(facts, MONEY, someone(9, Right.EXECUTE)) == Demand(2, ((FINANCE, 2),))


def test_who_leaves_nobody_spare_asks_for_as_many_group_by_group():
    terms = Terms(ACCESS, 1, True, 72, rules=(Rule(groups=(GroupApprovals(FINANCE, 3),)),))
    facts = house(ASKER, someone(8, Right.INITIATE), someone(9, Right.EXECUTE), *APPROVERS)
    assert least_to_configure(facts, terms, someone(9, Right.EXECUTE)) == Demand(0, ((FINANCE, 3),))
    easier = replace(terms, rules=(Rule(groups=(GroupApprovals(FINANCE, 2),)),))
    assert least_to_configure(facts, easier, someone(9, Right.EXECUTE)) == NOTHING


@pytest.mark.parametrize(
    ("rules", "stage"),
    [
        ((SMALL, LARGE), Stage.ENFORCED),
        ((replace(SMALL, always=False), LARGE), Stage.CONFIGURED),
        (
            (Rule(approvals=1, assets=Among(("BTC",))), Rule(deny=True, assets=Among(("BTC",), outside=True))),
            Stage.ENFORCED,
        ),
        ((Rule(approvals=1, assets=Among(("BTC",))), Rule(deny=True, asked_by="key")), Stage.CONFIGURED),
        ((Rule(approvals=1, asked_by="member"),), Stage.ENFORCED),
    ],
)
def test_rules_are_enforced_if_they_leave_nobody_a_request_at_once(rules, stage):
    assert stage_of(Terms(MONEY, 1, True, 72, rules=rules)) is stage
    says = meaning_for(MONEY, 1, always=True, rules=rules)
    assert ("whoever asks" in says) == (stage is Stage.ENFORCED)
    assert ("Members with Execute finish alone" in says) == (stage is Stage.CONFIGURED)
