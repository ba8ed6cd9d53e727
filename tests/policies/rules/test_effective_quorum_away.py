"""Effective strength where somebody is suspended, and where a key sends at once (DESIGN P6)."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.emergency_stop import stop
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.models import Member
from policies.changes import propose
from policies.models import Grant, Policy, State
from policies.rules import WITHDRAW, Bot, Held, Key
from policies.rules.effective_quorum import Target, strength
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from tests.policies.conftest import yes
from tests.policies.rules.test_effective_quorum import MONEY, OLIVE, house, member, policy
from tests.policies.small import ACCESS, ADDRESSES, POLICIES, WITHDRAWAL

ABE = member(11, "Abe", Right.APPROVE, workflows=(ACCESS,))
ADA = member(12, "Ada", Right.APPROVE, workflows=(ACCESS,))
HAL = member(13, "Hal", Right.INITIATE, workflows=(ACCESS,))
RULED = (policy(WITHDRAWAL, 3), policy(ACCESS, 1))
KEY = Key(1, frozenset({99}))
BOT = Bot(1, "treasury-bot", 1, permissions=frozenset({WITHDRAW}), keys=(KEY,))
OFFICE = (
    member(21, "Ina", Right.INITIATE, workflows=(ADDRESSES,)),
    member(22, "Pia", Right.APPROVE, workflows=(ADDRESSES,)),
)


def away(person, **how):
    return replace(person, is_active=False, **how)


def test_who_comes_back_by_the_clock_counts_as_there():
    """fault rules-D: Hal suspends Olive; 72 h later her stolen laptop withdraws: 1, as before."""
    there, suspended = (house(*RULED, people=(one, ABE, ADA, HAL)) for one in (OLIVE, away(OLIVE, comes_back=True)))
    before, after = strength(there, MONEY), strength(suspended, MONEY)
    assert (before.group, after.group, after.expected) == (("Olive",), ("Olive",), 4)
    assert after.road == ("The suspension of Olive ends by itself.", *before.road)


def test_who_is_kept_out_is_lifted_first():
    """fault rules-D: two who only approve let her in again; the third is she."""
    found = strength(house(*RULED, people=(away(OLIVE, is_kept_out=True), ABE, ADA)), MONEY)
    assert (set(found.group), found.expected, found.is_weak) == ({"Olive", "Abe", "Ada"}, 4, True)
    assert found.road == (
        "Abe asks to lift the suspension of Olive; Ada approves.",
        "Olive asks to remove the policy of Initiate Withdrawal; nobody else has to agree.",
        "Olive asks for it; nobody else has to agree.",
    )


def test_a_lock_protects_letting_in_whoever_holds_power():
    """fault rules-D, P4: as many as the lock asks for."""
    kept, ann = away(OLIVE, is_kept_out=True), member(14, "Ann", Right.APPROVE, workflows=(ACCESS,))
    locked = (*RULED, policy(POLICIES, 2, locked=True))
    assert strength(house(*locked, people=(kept, ABE, ADA)), MONEY).people == 0
    found = strength(house(*locked, people=(kept, ABE, ADA, ann)), Target(ACCESS, protected=True))
    assert found.people == 4
    assert found.road[0] == "Abe asks to lift the suspension of Olive; Ada and Ann approve."


def test_who_was_removed_does_not_count():
    assert strength(house(*RULED, people=(away(OLIVE), ABE, ADA)), MONEY).people == 0


def test_a_factor_reset_says_that_it_takes_their_mail():
    """P6."""
    hexa = member(31, "Hexa", Right.EXECUTE, workflows=(ACCESS,))
    found = strength(house(policy(WITHDRAWAL, 3), policy(POLICIES, 3), people=(hexa, OLIVE)), Target(ADDRESSES, 1))
    assert found.people == 1
    road = strength(house(policy(ADDRESSES, 3), people=(hexa, ABE)), Target(ADDRESSES, 1)).road
    assert road[0] == (
        "Hexa resets the factors of Abe, takes the mail with the link, and enrols in their place; "
        "nobody else has to agree."
    )


def test_who_is_kept_out_may_be_let_in_and_taken_over():
    """fault rules-D: nobody else is there whose factors could be reset."""
    hexa = member(31, "Hexa", Right.EXECUTE, workflows=(ACCESS,))
    found = strength(house(policy(ADDRESSES, 3), people=(hexa, away(ABE, is_kept_out=True))), Target(ADDRESSES, 1))
    assert found.group == ("Hexa",)
    assert found.road[0] == "Hexa lifts the suspension of Abe; nobody else has to agree."
    assert found.road[1].startswith("Hexa resets the factors of Abe, takes the mail")


def test_whoever_changes_where_a_name_leads_withdraws_through_a_key_that_sends_at_once():
    """fault rules-c: a name given again takes one approval, so two people."""
    found = strength(house(people=OFFICE, bots=[BOT]), MONEY)
    assert (found.group, found.road) == (
        ("Ina", "Pia"),
        ("Ina asks to let a name to which treasury-bot sends lead elsewhere; Pia approves.",),
    )
    assert strength(house(policy(WITHDRAWAL, 1), people=OFFICE, bots=[BOT]), MONEY).people == 0
    assert strength(house(people=OFFICE), MONEY).people == 0


def test_one_alone_never_gives_a_name_again():
    """fault rules-c: not even by Execute without a policy (DESIGN P2)."""
    alone = member(23, "Eve", Right.EXECUTE, workflows=(ADDRESSES,))
    assert strength(house(people=(alone,), bots=[BOT]), MONEY).people == 0
    assert strength(house(people=(alone, OFFICE[1]), bots=[BOT]), MONEY).people == 2


def test_a_lock_protects_a_name_given_again():
    """fault rules-c, P4."""
    more = tuple(member(24 + n, f"Pat {n}", Right.APPROVE, workflows=(ADDRESSES,)) for n in range(2))
    facts = house(policy(ACCESS, 3, locked=True), people=(*OFFICE, *more), bots=[BOT])
    assert strength(facts, MONEY).people == 4


def test_removing_the_policy_of_withdrawals_takes_who_answers_for_the_keys():
    """fault rules-g: without Execute there the key is not freed; the policy can only be weakened, and asks for one."""
    ruler = member(41, "Rue", Right.EXECUTE, workflows=(POLICIES,))
    holder = replace(BOT, keys=(Key(1, frozenset({41})),))
    assert strength(house(policy(WITHDRAWAL, 3), people=(ruler,), bots=[holder]), MONEY).people == 0
    pay = Held(WITHDRAWAL, Right.APPROVE)
    approver = replace(member(42, "Pay"), grants=frozenset({pay}))
    found = strength(house(policy(WITHDRAWAL, 3), people=(ruler, approver), bots=[holder]), MONEY)
    assert found.road == (
        "Rue asks to weaken the policy of Initiate Withdrawal to one approval; nobody else has to agree.",
        "Rue asks for it through treasury-bot; Pay approves.",
    )


def how(member: Member) -> tuple[bool, bool, bool]:
    """Whether they are active, come back by the clock, are kept out: as gathered."""
    person = gather(member.organization).person(member.pk)
    assert person is not None
    return (person.is_active, person.comes_back, person.is_kept_out)


@pytest.mark.django_db
def test_it_is_known_of_each_who_is_away_how_they_come_back(owner, ana, ben, cleo):
    """fault rules-D: the clock ends what one person began; others end what was asked for."""
    stop.suspend_member(actor=ana, member=ben, reason="It has to stop.")
    assert (how(ben), how(cleo)) == ((False, True, False), (True, False, False))
    change = propose(keep_out, actor=ana, params=KeepOut(ben.pk))
    assert change.state == State.EXECUTED or yes(change, owner)
    assert how(ben) == (False, False, True)


@pytest.mark.django_db
def test_the_page_of_policies_counts_who_is_suspended(owner, ana, ben, audit, browser):
    """fault rules-D: the weakness stays on the page, with what the clock does as its first step."""
    Policy.objects.all().delete()
    Grant.objects.filter(member=ana).exclude(right=Right.INITIATE.value).delete()
    Policy.objects.create(
        organization=owner.organization,
        workflow=Workflow.INITIATE_WITHDRAWAL.value,
        approvals=3,
        always=True,
        changed_at=timezone.now(),
    )
    stop.suspend_member(actor=ana, member=owner, reason="It has to stop.")
    text = browser(audit).get(reverse("policies:policies")).content.decode()
    assert f"The suspension of {owner.label} ends by itself." in text
