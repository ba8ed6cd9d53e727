"""What pages ask before anything is proposed."""

from dataclasses import replace

from policies.approvers_by_asker import answers
from policies.rules import WITHDRAW, Bot, Key, Need, Reason
from policies.rules.language import GroupApprovals, Rule
from policies.rules.stages import Stage, stage_of
from policies.rules.what_if import custodians_of, hindrances, locked, possible_initiators, prospect, with_policy
from policies.workflows import Right
from tests.policies.rules.test_effective_quorum import ANA, BEN, CLEO, FAY, house, policy
from tests.policies.rules.test_effective_quorum import member as someone
from tests.policies.small import ACCESS, POLICIES, WITHDRAWAL

KEYS = (Key(1, frozenset({BEN.user_id})), Key(2, frozenset({CLEO.user_id})), Key(3, frozenset({FAY.user_id}), False))
BOT = Bot(5, "treasury-bot", 1, permissions=frozenset({WITHDRAW}), keys=KEYS)


def test_who_could_approve_if_somebody_asked():
    resting = replace(BEN, is_resting=True)
    facts = house(policy(WITHDRAWAL, 2), people=(ANA, resting, CLEO, FAY), bots=[BOT])
    found = prospect(facts, ANA, WITHDRAWAL, 1)
    assert found.need == Need(2)
    assert [(person.name, reason) for person, reason in found.people] == [
        ("Ben", Reason.RESTING),
        ("Cleo", None),
        ("Fay", None),
    ]
    assert (found.is_possible, found.missing) == (True, 0)
    asked = prospect(facts, BOT.through(2), WITHDRAWAL, 1)
    assert [person.name for person in asked.able] == ["Fay"]
    assert (asked.is_possible, asked.missing) == (False, 1)
    assert [person.name for person in prospect(facts, BOT, WITHDRAWAL, 1).able] == ["Fay"]


def test_a_protected_change_is_looked_at_with_the_number_of_the_lock():
    facts = house(policy(WITHDRAWAL, 3, locked=True))
    assert prospect(facts, ANA, ACCESS).need == Need(1)
    assert prospect(facts, ANA, ACCESS, protected=True).need == Need(3)
    assert prospect(facts, ANA, WITHDRAWAL, 1, protected=True).need == Need(3)
    assert prospect(house(policy(WITHDRAWAL, 3)), ANA, ACCESS, protected=True).need == Need(1)


def test_everybody_who_may_ask_can_be_asked_for():
    here = house(people=(ANA, BEN, someone(8, "Ned", Right.EXECUTE, workflows=(ACCESS,))), bots=[BOT])
    assert [one.name for one in possible_initiators(here, ACCESS)] == ["Ana", "Ned"]
    assert [one.name for one in possible_initiators(here, WITHDRAWAL, 1)] == ["Ana", "treasury-bot"]
    assert [one.name for one in possible_initiators(here, WITHDRAWAL, 2)] == ["Ana"]


def test_what_hinders_a_lock_is_named_the_largest_first():
    """Ben, Cleo and Fay approve withdrawals; only Ben approves access and policies."""
    money = (WITHDRAWAL,)
    people = (
        ANA,
        BEN,
        *(someone(7 + n, name, Right.APPROVE, workflows=money) for n, name in enumerate(("Gus", "Hal"))),
    )
    facts = house(policy(WITHDRAWAL, 3), people=people)
    found = hindrances(facts, locked(facts, WITHDRAWAL))
    assert [(one.workflow, one.initiator, one.missing) for one in found] == [(ACCESS, "Ana", 2), (POLICIES, "Ana", 2)]
    assert not hindrances(facts, locked(facts, ACCESS))


def test_before_and_after_is_one_organization_with_another_policy():
    facts = house(policy(WITHDRAWAL, 3))
    assert with_policy(facts, WITHDRAWAL, None) == house()
    assert with_policy(facts, ACCESS, policy(ACCESS, 1)).policies == (policy(WITHDRAWAL, 3), policy(ACCESS, 1))
    assert [stage_of(one) for one in (None, policy(ACCESS, 1), policy(ACCESS, 1, locked=True))] == [
        Stage.BOOTSTRAP,
        Stage.ENFORCED,
        Stage.LOCKED,
    ]


def test_who_could_approve_is_said_group_by_group():
    finance = tuple(replace(person, groups=frozenset({1})) for person in (BEN, CLEO))
    of_finance = Rule(groups=(GroupApprovals(1, 2),))
    facts = replace(house(ruled(of_finance), people=(ANA, *finance, FAY)), groups={1: "Finance"})
    [said] = [each for each in answers(facts, f"member-{ANA.member_id}", 0) if each.workflow is ACCESS]
    assert (said.needed, said.able, said.spare, said.is_possible) == (2, 3, 0, True)
    assert said.asks == "2 approvals of Finance"
    [plain] = [
        each for each in answers(house(policy(ACCESS, 2)), f"member-{ANA.member_id}", 0) if each.workflow is ACCESS
    ]
    assert (plain.needed, plain.spare, plain.asks) == (2, plain.able - 2, "")
    denied = house(replace(policy(WITHDRAWAL, 1), rules=(Rule(deny=True),)))
    [said] = [each for each in answers(denied, f"member-{ANA.member_id}", 0) if each.workflow is WITHDRAWAL][:1]
    assert said.trouble == "A rule denies it, however many agree."


def ruled(*rules):
    return replace(policy(ACCESS, 1), rules=rules)


def test_custodians_of_a_bot_are_those_of_its_live_keys():
    assert [person.name for person in custodians_of(BOT, house())] == ["Ben", "Cleo"]
