"""No dead ends (DESIGN P5): a shortage that appears or grows is refused, one that stays or shrinks passes."""

import pytest
from django.db import connection

from accounts.models import Organization
from policies.changes import propose
from policies.models import ChangeRequest, Grant, Policy, State
from policies.operations import ConfigurePolicy, RemovePolicy, configure_policy, remove_policy
from policies.rules import WITHDRAW, Bot, Facts, Held, Key, Person, Terms
from policies.rules.dead_ends import Shortage, grown, refuse_grown, shortages
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from tests.policies.conftest import ask_send, ask_tidy, is_untouched, yes

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def someone(pk, right, workflow=WITHDRAWAL, account=None) -> Person:
    return Person(pk, pk, f"P{pk}", factors=frozenset({"totp"}), grants=frozenset({Held(workflow, right, account)}))


def facts(*people, bots=(), approvals=2, always=True) -> Facts:
    terms = Terms(WITHDRAWAL, approvals, always, 72)
    return Facts("any", {1: "Main"}, people, tuple(bots), (terms,))


def missing(found) -> list[tuple[str, int]]:
    return [(shortage.initiator, shortage.missing) for shortage in found]


def test_every_possible_initiator_is_counted():
    bot = Bot(5, "bot", 1, permissions=frozenset({WITHDRAW}), keys=(Key(1, frozenset({2})),))
    still = Bot(6, "still", 1, permissions=frozenset({"query-funds"}), keys=(Key(2),))
    dead = Bot(8, "dead", 1, permissions=frozenset({WITHDRAW}), keys=(Key(3, is_live=False),))
    people = (someone(1, Right.INITIATE), someone(2, Right.APPROVE), someone(3, Right.APPROVE))
    assert missing(shortages(facts(*people, bots=[bot, still, dead]))) == [("bot", 1)]
    assert missing(shortages(facts(*people, bots=[bot], approvals=4))) == [("P1", 2), ("bot", 3)]


def test_who_finishes_alone_is_short_of_nobody():
    assert not shortages(facts(someone(1, Right.EXECUTE), always=False))
    assert missing(shortages(facts(someone(1, Right.EXECUTE)))) == [("P1", 2)]


def test_rights_on_one_account_count_there_only():
    people = (someone(1, Right.INITIATE), someone(2, Right.APPROVE, account=1), someone(3, Right.APPROVE, account=2))
    world = Facts("any", {1: "Main", 2: "Cold"}, people, (), (Terms(WITHDRAWAL, 1, True, 72),))
    assert not shortages(world)
    both = Facts("any", {1: "Main", 2: "Cold"}, people, (), (Terms(WITHDRAWAL, 2, True, 72),))
    assert {(shortage.account, shortage.missing) for shortage in shortages(both)} == {("Main", 1), ("Cold", 1)}


def test_only_what_appears_or_grows_is_worse():
    def short(who, missing):
        return Shortage(WITHDRAWAL, 1, "Main", ("member", who), f"P{who}", 3, missing)

    before = (short(1, 2), short(2, 1))
    assert not grown(before, (short(1, 2), short(2, 1)))
    assert not grown(before, (short(1, 1),))
    assert grown(before, (short(1, 3), short(2, 1))) == (short(1, 3),)
    assert grown(before, (*before, short(3, 1))) == (short(3, 1),)


def of_access(*people) -> Facts:
    return Facts("any", {1: "Main"}, people, (), (Terms(Workflow.MANAGE_ACCESS, 1, True, 72),))


def test_a_change_after_which_nobody_could_ask_is_refused_though_no_initiator_is_short():
    """fault rules-f3: without anybody who asks there is no initiator whose shortage could grow."""
    access = Workflow.MANAGE_ACCESS
    hal, xena = someone(1, Right.INITIATE, access), someone(2, Right.APPROVE, access)
    assert not shortages(of_access(xena))
    with pytest.raises(Refused, match="Nobody would be left who may ask for anything in Manage Access"):
        refuse_grown(of_access(hal, xena), of_access(xena))
    refuse_grown(of_access(xena), of_access(xena))
    refuse_grown(of_access(xena), of_access(hal, xena))


def test_nor_one_after_which_only_those_could_ask_whom_nobody_could_approve():
    """fault rules-f3: Xena asks and approves, and alone she is stuck; she was short before, and nothing grows."""
    access = Workflow.MANAGE_ACCESS
    hal = someone(1, Right.INITIATE, access)
    xena = Person(
        2,
        2,
        "Xena",
        factors=frozenset({"totp"}),
        grants=frozenset({Held(access, Right.INITIATE, None), Held(access, Right.APPROVE, None)}),
    )
    before, after = of_access(hal, xena), of_access(xena)
    assert not grown(shortages(before), shortages(after))
    with pytest.raises(Refused, match="asked by anybody"):
        refuse_grown(before, after)


def configure(actor, workflow, approvals, *, always=True):
    return propose(configure_policy, actor=actor, params=ConfigurePolicy(workflow, approvals, always))


def test_a_policy_that_nobody_could_satisfy_is_refused_with_the_order_that_works(house):
    """CR-14: a pool too small to ever reach the count is refused at the change that would make it so."""
    with pytest.raises(Refused, match="First give Approve on Initiate Withdrawal to 1 more member") as refused:
        configure(house.olive, WITHDRAWAL, 4)
    assert "Olive" in refused.value.message
    assert is_untouched(house)
    assert configure(house.olive, WITHDRAWAL, 3).state == State.EXECUTED


def test_custodians_of_a_bot_are_not_in_its_pool(house):
    """CR-14: pool of one."""
    house.bot(made_by="ben")
    Grant.objects.filter(member__in=[house.cleo, house.olive], right=Right.APPROVE).delete()
    with pytest.raises(Refused, match="asked by treasury-bot"):
        configure(house.olive, WITHDRAWAL, 2)
    assert configure(house.olive, WITHDRAWAL, 1).state == State.EXECUTED


def test_what_would_be_a_dead_end_is_refused_when_it_is_asked(house):
    with pytest.raises(Refused, match="nobody can finish"):
        configure(house.ana, WITHDRAWAL, 9)
    assert is_untouched(house)


def test_what_became_a_dead_end_meanwhile_fails_when_it_is_carried_out(house):
    change = configure(house.ana, WITHDRAWAL, 3)
    Grant.objects.filter(member=house.fay, workflow=WITHDRAWAL).delete()
    done = yes(change, house.ben)
    assert done.state == State.FAILED
    assert "nobody can finish" in done.reason
    assert not Policy.objects.filter(organization=house.organization).exists()


def test_a_shortage_that_shrinks_passes(house):
    house.policy(WITHDRAWAL, 9)
    assert configure(house.olive, WITHDRAWAL, 8).state == State.EXECUTED
    params = RemovePolicy(WITHDRAWAL)
    assert propose(remove_policy, actor=house.olive, params=params).state == State.EXECUTED


def test_a_request_that_nobody_could_finish_now_is_not_opened(house):
    house.policy(WITHDRAWAL, 2)
    Grant.objects.filter(member__in=[house.ben, house.cleo, house.olive], right=Right.APPROVE).delete()
    with pytest.raises(Refused, match=r"only Fay can give one\. Missing: 1 more member with Approve on Initiate"):
        ask_send(house, house.ana)


def test_giving_withdraw_needs_an_approver_who_may_execute_withdrawals(house):
    Grant.objects.filter(member=house.olive, workflow=WITHDRAWAL).delete()
    with pytest.raises(Refused, match="holds Execute on Initiate Withdrawal"):
        ask_tidy(house.ana, withdraw_from=house.account.pk)
    Grant.objects.create(member=house.cleo, workflow=WITHDRAWAL, right=Right.EXECUTE, account=house.account)
    change = ask_tidy(house.ana, withdraw_from=house.account.pk)
    assert yes(change, house.ben).state == State.PENDING
    assert yes(change, house.cleo).state == State.EXECUTED


def test_where_a_passkey_is_required_nobody_with_an_app_alone_counts(house):
    Organization.objects.filter(pk=house.organization.pk).update(second_factor_level="passkey")
    with pytest.raises(Refused, match="nobody can give one"):
        ask_tidy(house.ana)


def corrupt(policy) -> None:
    """Write into the row what no constraint would let through."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE policies_policy DROP CONSTRAINT policy_approvals_in_range")
        cursor.execute("UPDATE policies_policy SET approvals = 0 WHERE id = %s", [policy.pk])
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_a_corrupt_policy_stops_what_it_governs_and_can_be_configured_anew(house):
    """CR-14: a corrupt row."""
    corrupt(house.policy(WITHDRAWAL, 1))
    key = house.bot()
    for actor, used in ((house.olive, None), (house.ana, None), (key.service_user, key)):
        with pytest.raises(Refused, match="cannot be read"):
            ask_send(house, actor, api_key=used)
    assert not ChangeRequest.objects.filter(organization=house.organization).exists()
    assert ask_tidy(house.olive).state == State.EXECUTED
    assert configure(house.olive, WITHDRAWAL, 2).state == State.EXECUTED
    assert ask_send(house, house.ana).state == State.PENDING


def test_a_policy_corrupted_while_a_request_waits_stops_it(house):
    policy = house.policy(WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    corrupt(policy)
    with pytest.raises(Refused, match="cannot be read"):
        yes(change, house.ben)
    assert not change.decisions.exists()


def test_the_facts_take_as_many_queries_for_a_small_house_as_for_a_large_one(house, django_assert_num_queries):
    house.policy(WITHDRAWAL, 1)
    with django_assert_num_queries(3):
        gather(house.organization, bots=True)
    for number in range(10):
        house.member(f"more{number}", Right.APPROVE)
        house.bot(f"bot-{number}")
    with django_assert_num_queries(3):
        gather(house.organization, bots=True)
    with django_assert_num_queries(2):
        gather(house.organization)
