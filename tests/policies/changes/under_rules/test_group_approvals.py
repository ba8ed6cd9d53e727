"""Approvals of groups: each group's number is met, and one yes counts once in each group of who gave it (DESIGN P7)."""

from decimal import Decimal

import pytest

from accounts.members.invitations import is_taken_back_at_once
from accounts.members.invite_member import InviteMember, invite_member
from accounts.models import Invitation
from policies.changes import propose
from policies.models import ChangeRequest, GroupMember, State
from policies.rules.language import Demand, GroupApprovals, Rule
from policies.workflows import Workflow
from portal.core.errors import Denied, Refused
from tests.policies.conftest import again, ask_send, ask_tidy, is_untouched, page, yes
from tests.policies.operations import marks

MONEY = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture
def groups(house):
    """Finance: Ben and Cleo. Board: Cleo and Fay."""
    return house.group("Finance", "ben", "cleo"), house.group("Board", "cleo", "fay")


def asks(*pairs, **more):
    return Rule(groups=tuple(GroupApprovals(*pair) for pair in pairs), **more)


def test_approvals_of_others_do_not_serve_for_a_group(house, groups):
    finance, board = groups
    house.policy(MONEY, 1, rules=(asks((finance, 1), (board, 1)),))
    change = ask_send(house, house.ana)
    assert yes(change, house.ben).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED


def test_one_yes_counts_in_each_group_of_theirs(house, groups):
    finance, board = groups
    house.policy(MONEY, 1, rules=(asks((finance, 1), (board, 1)),))
    assert yes(ask_send(house, house.ana), house.cleo).state == State.EXECUTED


def test_it_counts_once_in_each(house, groups):
    finance, _ = groups
    house.policy(MONEY, 1, rules=(asks((finance, 2)),))
    change = ask_send(house, house.ana)
    assert yes(change, house.cleo).state == State.PENDING
    assert yes(change, house.ben).state == State.EXECUTED


def test_all_that_rules_ask_is_asked_together(house, groups):
    finance, board = groups
    house.policy(MONEY, 2, rules=(Rule(approvals=2), asks((finance, 1)), asks((board, 2))))
    change = ask_send(house, house.ana)
    assert change.required == Demand(2, ((finance, 1), (board, 2)))
    assert yes(change, house.fay).state == State.PENDING
    assert yes(change, house.cleo).state == State.EXECUTED


def test_who_left_the_group_counts_in_it_no_more(house, groups):
    finance, _ = groups
    house.policy(MONEY, 2, rules=(Rule(approvals=2), asks((finance, 1))))
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    GroupMember.objects.filter(member=house.ben).delete()
    assert yes(change, house.fay).state == State.PENDING
    assert yes(change, house.cleo).state == State.EXECUTED


def test_what_was_asked_of_a_group_then_is_asked_after_the_policy_got_weaker(house, groups):
    """R4, group by group."""
    finance, board = groups
    house.policy(MONEY, 1, rules=(asks((finance, 1)),))
    change = ask_send(house, house.ana)
    house.policy(MONEY, 1, rules=(asks((board, 1)),))
    assert yes(change, house.fay).state == State.PENDING
    assert yes(change, house.ben).state == State.EXECUTED


def test_the_groups_are_covered_by_the_digest(house, groups):
    """CR-1: another demand written into the row is another request."""
    finance, _ = groups
    house.policy(MONEY, 1, rules=(asks((finance, 1)),))
    change = ask_send(house, house.ana)
    ChangeRequest.objects.filter(pk=change.pk).update(required_besides={})
    house.policy(MONEY, 1)
    with pytest.raises(Refused, match="not what was asked"):
        yes(again(change), house.fay)


def test_what_a_group_could_never_finish_is_refused_when_it_is_asked(house, groups):
    """P5: it names the group, and who is missing."""
    finance, _ = groups
    house.policy(MONEY, 1, rules=(asks((finance, 3)),))
    with pytest.raises(Refused, match=r"3 approvals of Finance, and 2 of them can give one. Missing: 1 more member"):
        ask_send(house, house.ana)
    assert is_untouched(house)


def test_who_asks_is_not_counted_in_their_group(house):
    board = house.group("Board", "olive", "fay")
    house.policy(MONEY, 2, rules=(asks((board, 2)),))
    with pytest.raises(Refused, match="Missing: 1 more member of Board"):
        ask_send(house, house.olive)


def test_other_workflows_take_groups_as_well(house, groups):
    _, board = groups
    house.policy(Workflow.MANAGE_ACCESS, 1, rules=(asks((board, 1)),))
    change = ask_tidy(house.ana)
    assert yes(change, house.ben).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED


def test_conditions_in_another_workflow_are_no_policy(house):
    """CR-14: what cannot be meant stops what it governs, and is not taken for nothing."""
    house.policy(Workflow.MANAGE_ACCESS, 1, rules=(Rule(approvals=1, delay_hours=24),))
    with pytest.raises(Refused, match="cannot be read"):
        ask_tidy(house.ana)


def test_what_is_denied_is_refused_and_nothing_is_held(house):
    house.policy(MONEY, 1, rules=(Rule(deny=True),))
    with pytest.raises(Denied, match="A rule of Initiate Withdrawal denies this"):
        ask_send(house, house.ana)
    assert is_untouched(house)


def test_what_is_denied_by_now_waits_whoever_agrees(house):
    house.policy(MONEY, 1)
    change = ask_send(house, house.ana)
    house.policy(MONEY, 1, rules=(Rule(deny=True),))
    with pytest.raises(Refused, match="denies this by now"):
        yes(change, house.ben)
    house.policy(MONEY, 1)
    assert yes(change, house.ben).state == State.EXECUTED
    assert marks("ran", change) == 1


def test_a_key_asks_for_one_approval_at_least_once_a_policy_governs(house):
    """P2: whatever matches."""
    key = house.bot()
    house.policy(MONEY, 1, rules=(Rule(approvals=1, amount=Decimal(10**6)),))
    assert ask_send(house, key.service_user, api_key=key).required == Demand(1)


def test_the_page_says_of_each_group_how_far_it_is(house, groups, browser):
    finance, board = groups
    house.policy(MONEY, 1, rules=(asks((finance, 1), (board, 2)),))
    change = ask_send(house, house.ana)
    yes(change, house.ben)
    shown = page(browser(house.fay), change)
    assert "Finance 1 of 1 · Board 0 of 2" in shown
    assert "1 approval of Finance and 2 of Board required." in shown


def test_a_locked_rule_raises_what_is_protected_by_its_groups(house, groups):
    """P4: a protected change asks for everything that any locked rule could ask."""
    _, board = groups
    house.policy(MONEY, 1, rules=(asks((board, 2), amount=Decimal(10**6)),), locked=True)
    invitation = InviteMember("nia@house.test", "Nia", (("manage_access", "initiate", None),))
    change = propose(invite_member, actor=house.olive, params=invitation)
    assert change.required.groups == ((board, 2),)


def test_what_a_group_alone_agreed_to_is_not_taken_back_by_one_alone(house, groups):
    """Its approvals are those of others, though no number is asked of all."""
    _, board = groups
    house.policy(Workflow.MANAGE_ACCESS, 1, rules=(asks((board, 1)),))
    change = propose(invite_member, actor=house.olive, params=InviteMember("nia@house.test", "Nia", ()))
    assert change.receipt.endswith("It waits for 1 approval.")
    assert yes(change, house.fay).state == State.EXECUTED
    invitation = Invitation.objects.get(email="nia@house.test")
    assert invitation.approvals == 1
    assert not is_taken_back_at_once(invitation, house.ana)
