"""A policy of rules, as it is asked for, stored and shown (DESIGN P7, R6, R7)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import timezone

from policies import payload
from policies.changes import propose
from policies.models import Group, Policy, State
from policies.operations import (
    ConfigurePolicy,
    LockPolicy,
    by_rules,
    configure_policy,
    lock_policy,
    pinned,
    remove_policy,
)
from policies.operations.remove import RemovePolicy
from policies.rules.language import Among, AtLeast, GroupApprovals, Rule, Scope, SumOf, Window, plain_rule
from policies.snapshot import policies
from policies.snapshot.stored_rules import digest_of
from policies.views.descriptions import described
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, Refused
from tests.policies.conftest import again, yes

ACCESS, MONEY = Workflow.MANAGE_ACCESS, Workflow.INITIATE_WITHDRAWAL
SMALL = Rule(approvals=1)
LARGE = Rule(approvals=2, amount=Decimal(100000), with_day_sum=True)
TIERS = (SMALL, LARGE)


def configure(member, rules, workflow=MONEY, **more):
    return propose(configure_policy, actor=member, params=by_rules(workflow, rules, 72, **more))


def group_of(house, *names, called="Finance") -> Group:
    group = Group.objects.create(organization=house.organization, name=called, created_at=timezone.now())
    for name in names:
        group.memberships.create(member=house.people[name])
    return group


def stored(house, workflow=MONEY) -> Policy:
    return Policy.objects.get(organization=house.organization, workflow=workflow)


def test_rules_are_stored_with_what_follows_from_them(house):
    """An older node reads the number: the most that is asked of anybody, always if any rule is."""
    finance = group_of(house, "ben", "cleo", "fay")
    rules = (SMALL, Rule(approvals=1, groups=(GroupApprovals(finance.pk, 2),), always=False, amount=Decimal("0.5")))
    assert configure(house.olive, rules).state == State.EXECUTED
    policy = stored(house)
    assert (policy.approvals, policy.always) == (2, True)
    (terms,) = policies(house.organization)
    assert terms.rules == rules
    event = AuditEvent.objects.filter(kind="policy.configured").latest("pk")
    assert event.data["rules"] == policy.rules
    assert configure(house.olive, TIERS).state == State.EXECUTED
    assert stored(house).always is True


def test_what_follows_from_rules_is_never_asked(house):
    """Whatever number comes along, the rules say it."""
    params = ConfigurePolicy(MONEY, 7, always=False, rules=TIERS)
    assert propose(configure_policy, actor=house.olive, params=params).state == State.EXECUTED
    assert (stored(house).approvals, stored(house).always) == (2, True)


@pytest.mark.parametrize("always", [True, False])
def test_one_plain_rule_is_the_plain_policy(house, always):
    configure(house.olive, (plain_rule(2, always=always),))
    policy = stored(house)
    assert (policy.approvals, policy.always, policy.rules) == (2, always, [])


def test_a_plain_request_is_stored_as_it_always_was(house):
    """What was asked before there were rules is read as ever, and an older version reads what asks for no rules."""
    before = {"workflow": "manage_access", "approvals": 2, "always": True, "open_hours": 72}
    assert payload.decode(ConfigurePolicy, before) == ConfigurePolicy(ACCESS, 2, always=True)
    assert payload.encode(ConfigurePolicy(ACCESS, 2, always=True)) == before
    lock = {"workflow": "manage_access", "approvals": 2, "always": True}
    assert payload.decode(LockPolicy, lock) == LockPolicy(ACCESS, 2, always=True)
    with pytest.raises(payload.Unreadable):
        payload.decode(ConfigurePolicy, {**before, "rules": []})


def test_params_with_rules_come_back_exactly():
    rule = Rule(
        approvals=1,
        groups=(GroupApprovals(3, 2),),
        amount=Decimal("0.25"),
        sums=(AtLeast(SumOf((Scope.ASSET,), Window.WEEK), Decimal(7)),),
        destinations=Among(("a", "b"), outside=True),
        younger_hours=24,
        asked_by="key",
    )
    params = by_rules(MONEY, (rule,), 24)
    assert payload.decode(ConfigurePolicy, payload.encode(params)) == params


def test_who_may_only_look_asks_for_nothing(house):
    with pytest.raises(Refused):
        configure(house.otto, TIERS)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(), "asks for an approval, or denies"),
        (Rule(deny=True, approvals=1), "needs neither approvals nor a delay"),
        (Rule(approvals=21), "Approvals are 1 to 20"),
        (Rule(approvals=1, amount=Decimal("9" * 30)), "below a thousand million millions"),
        (Rule(approvals=1, amount=Decimal("0.001")), "two decimals"),
        (Rule(approvals=1, amount=Decimal("1E+5")), "plain digits"),
        (Rule(approvals=1, amount=Decimal("5.00")), "plain digits"),
        (Rule(approvals=1, accounts=Among(())), "names one at least"),
        (Rule(approvals=1, accounts=Among(tuple(sorted(map(str, range(1001)))))), "names 1000 at most"),
        (Rule(groups=(GroupApprovals(1, 1), GroupApprovals(1, 2))), "names each group once"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_saved(house, rule, said):
    with pytest.raises(Invalid, match=said):
        configure(house.olive, (SMALL, rule))
    assert not Policy.objects.filter(organization=house.organization).exists()


def test_what_another_organization_has_cannot_be_named(house, next_door):
    theirs = group_of(next_door, "eve")
    for rule in (
        Rule(groups=(GroupApprovals(theirs.pk, 1),)),
        Rule(approvals=1, accounts=Among((str(next_door.account.pk),))),
        Rule(approvals=1, initiators=Among((f"member:{next_door.people['eve'].pk}",))),
        Rule(approvals=1, initiators=Among(("nobody",))),
    ):
        with pytest.raises(Invalid):
            configure(house.olive, (rule,))
    ours = Among(tuple(sorted((f"member:{house.ana.pk}", f"service_user:{house.bot().service_user_id}"))))
    rule = Rule(approvals=1, accounts=Among((str(house.account.pk),)), initiators=ours)
    assert configure(house.olive, (SMALL, rule)).state == State.EXECUTED


def test_a_group_that_was_removed_is_asked_for_no_more(house):
    gone = group_of(house, "ben", "cleo")
    change = configure(house.ana, (Rule(groups=(GroupApprovals(gone.pk, 1),)),), workflow=ACCESS)
    assert change.state == State.PENDING
    Group.objects.update(removed_at=timezone.now())
    assert yes(change, house.ben).state == State.FAILED
    assert "names a group that there is not" in again(change).reason
    assert not Policy.objects.filter(organization=house.organization).exists()


def test_other_workflows_take_groups_and_no_conditions(house):
    finance = group_of(house, "ben", "cleo")
    with pytest.raises(Invalid, match="Only Initiate Withdrawal"):
        configure(house.olive, (LARGE,), workflow=ACCESS)
    with pytest.raises(Invalid, match="Only Initiate Withdrawal"):
        configure(house.olive, (Rule(approvals=1, delay_hours=1),), workflow=ACCESS)
    rules = (Rule(groups=(GroupApprovals(finance.pk, 1),)),)
    assert configure(house.olive, rules, workflow=ACCESS).state == State.EXECUTED
    assert stored(house, ACCESS).rules != []


def test_the_second_of_two_authors_is_stale(house):
    """R6: never a blind overwrite, also where the numbers that follow are the same."""
    other = (SMALL, replace(LARGE, amount=Decimal(200000)))
    waiting = configure(house.ana, other)
    plain = propose(configure_policy, actor=house.ana, params=ConfigurePolicy(ACCESS, 2, always=True))
    assert configure(house.olive, TIERS).state == State.EXECUTED
    waiting = again(waiting)
    assert waiting.state == State.STALE
    (rules,) = [field for field in waiting.overtaken if field["name"] == "Rules"]
    assert (rules["then"], "100,000" in rules["now"], "200,000" in rules["wanted"]) == ("none", True, True)
    assert again(plain).state == State.PENDING


def test_a_plain_request_does_not_write_over_rules_that_it_never_saw(house):
    house.policy(MONEY, 2)
    plain = propose(configure_policy, actor=house.ana, params=ConfigurePolicy(MONEY, 3, always=True))
    assert configure(house.olive, TIERS).state == State.EXECUTED
    assert (stored(house).approvals, stored(house).always) == (2, True)
    assert again(plain).state == State.STALE
    assert stored(house).rules != []


def test_the_order_of_rules_is_no_change(house):
    configure(house.olive, TIERS)
    waiting = configure(house.ana, (SMALL,))
    configure(house.olive, tuple(reversed(TIERS)))
    assert again(waiting).state == State.PENDING
    assert digest_of(TIERS) == digest_of(tuple(reversed(TIERS))) != digest_of((SMALL,))


def test_only_the_rules_that_were_shown_are_locked(house):
    """P3: nothing weaker, though the numbers that follow are the same."""
    configure(house.olive, TIERS)
    params = pinned(stored(house))
    assert params.rules == digest_of(TIERS)
    weaker = (SMALL, replace(LARGE, amount=Decimal(200000)))
    house.organization.policies.update(rules=[payload.encode(rule) for rule in weaker])
    with pytest.raises(Conflict, match="was changed since this was asked"):
        propose(lock_policy, actor=house.olive, params=params)
    with pytest.raises(Conflict, match="was changed since this was asked"):
        propose(lock_policy, actor=house.olive, params=LockPolicy(MONEY, 2, always=True))
    propose(lock_policy, actor=house.olive, params=pinned(stored(house)))


def test_rules_nobody_can_read_are_not_locked(house):
    house.policy(MONEY, 2)
    house.organization.policies.update(rules=[{"approvals": 1}])
    with pytest.raises(Conflict, match="cannot be read"):
        pinned(stored(house))


def test_a_request_says_its_rules_as_sentences(house):
    house.policy(MONEY, 2)
    change = configure(house.ana, TIERS)
    assert change.title == "Ask for what 2 rules say on Initiate Withdrawal"
    said = described(change)
    assert said is not None
    assert "takes <b>what 2 rules say</b>" in said.sentence
    sentences = [fact.value for fact in said.facts if fact.label.startswith("Rule ")]
    assert sentences[1].startswith("When 100,000 USD or more leaves, alone or together with everything of the last")
    rules = [(each.before[:30], each.after[:30]) for each in said.changes if each.field == "Rule"]
    assert next(each for each in said.changes if each.grows).before == "2 approvals"
    assert [notice.title for notice in said.notices] == ["This asks for less than now."]
    assert [fact.value for fact in said.facts if fact.label == "Leaks"] == [
        "Below 100,000 USD within 24 hours leaves without 2 approvals."
    ]
    assert rules[0] == ("Whatever is asked: 2 approvals", "none")
    assert {after for before, after in rules if before == "none"} == {sentence[:30] for sentence in sentences}


def test_one_rule_says_it_alone(house):
    change = configure(house.ana, (LARGE,))
    assert change.title == "Ask for what 1 rule says on Initiate Withdrawal"


def test_taking_rules_away_is_said_rule_by_rule(house):
    configure(house.olive, TIERS)
    said = described(propose(remove_policy, actor=house.ana, params=RemovePolicy(MONEY)))
    assert said is not None
    gone = [each for each in said.changes if each.field == "Rule"]
    assert [each.after for each in gone] == ["none", "none"]
    weaker = [(each.field, each.before, each.after) for each in said.changes if each.grows]
    tier = "When 100,000 USD or more leaves, alone or together with everything of the last 24 hours"
    assert (f"{tier} (for members with Execute)", "2 approvals", "no approval") in weaker
