"""The inbox as queries: it must agree with the rules on every person, and show nobody what is not theirs."""

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Authenticator, Member, Organization
from policies.access import allows, grant, granted
from policies.changes import cancel, propose
from policies.inbox import queues
from policies.models import Grant, Group, GroupMember
from policies.operations import (
    ChangeGroup,
    ConfigurePolicy,
    CreateGroup,
    Roster,
    change_group,
    configure_policy,
    create_group,
)
from policies.progress import standing
from policies.workflows import Right, Workflow
from tests.policies.conftest import again, ask_send, ask_tidy, yes

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def numbers(rows) -> list[int]:
    return sorted(change.number for change in rows)


@pytest.fixture
def busy(house):
    """Requests of every sort, and people of every sort."""
    house.policy(WITHDRAWAL, 2)
    key = house.bot(made_by="ben")
    changes = [
        ask_send(house, key.service_user, api_key=key),
        ask_send(house, house.ana),
        ask_send(house, house.olive),
        ask_tidy(house.ana, about=house.cleo.pk),
        ask_tidy(house.ana, "another"),
    ]
    yes(changes[1], house.fay)
    house.member("gus", Right.APPROVE, factor=False)
    house.member("hal", Right.APPROVE)
    Member.objects.filter(pk=house.hal.pk).update(identity="submitted")
    house.member("ida", Right.APPROVE)
    Member.objects.filter(pk=house.ida.pk).update(suspended_at=timezone.now())
    return changes


def test_what_waits_is_exactly_what_the_rules_let_one_decide(house, busy):
    """AZ-7: counts and lists filter as the rules do."""
    for name, member in house.people.items():
        waiting = set(queues.waiting_for(member))
        assert waiting == {change for change in busy if standing(change, member).can_decide}, name
        assert queues.waiting_count(member) == len(waiting)
        assert queues.overview(member).waiting == len(waiting)


def test_what_waits_agrees_with_the_rules_on_a_second_key_and_on_who_rests(house, busy):
    """AZ-7: counts and lists filter as the rules do, custodians by the key that asked, who rests by what it gives."""
    key = house.key(busy[0].service_user, "cleo")
    busy.append(ask_send(house, key.service_user, api_key=key))
    house.policy(WITHDRAWAL, 2, locked=True)
    weaker = ConfigurePolicy(workflow=WITHDRAWAL, approvals=1, always=True, open_hours=72)
    busy.append(propose(configure_policy, actor=house.ana, params=weaker))
    Member.objects.filter(pk=house.fay.pk).update(factors_reset_at=timezone.now())
    house.people["fay"] = Member.objects.select_related("organization", "user").get(pk=house.fay.pk)
    for name in ("ben", "cleo", "fay"):
        member = house.people[name]
        waiting = set(queues.waiting_for(member))
        assert waiting == {change for change in busy if standing(again(change), member).can_decide}, name
        assert queues.waiting_count(member) == len(waiting)
    assert busy[0] in set(queues.waiting_for(house.cleo))
    assert busy[5] in set(queues.waiting_for(house.ben))
    assert not queues.waiting_for(house.fay).exists(), "all of it is money, access or policies"


def test_what_waits_agrees_with_the_rules_on_who_joins_and_who_leaves_a_group(house, busy):
    """R3: a change that is about several waits for none of them."""
    group = Group.objects.create(organization=house.organization, name="Board", created_at=timezone.now())
    GroupMember.objects.create(group=group, member=house.ben)
    seen, wanted = Roster("Board", (house.ben.pk,)), Roster("Board", (house.cleo.pk,))
    busy.append(propose(change_group, actor=house.ana, params=ChangeGroup(group.pk, seen, wanted)))
    busy.append(propose(create_group, actor=house.ana, params=CreateGroup("Team", (house.fay.pk,))))
    for name in ("ben", "cleo", "fay", "olive"):
        member = house.people[name]
        waiting = set(queues.waiting_for(member))
        assert waiting == {change for change in busy if standing(again(change), member).can_decide}, name
        assert queues.waiting_count(member) == len(waiting)
    assert {busy[5], busy[6]} & set(queues.waiting_for(house.cleo)) == {busy[6]}
    assert {busy[5], busy[6]} & set(queues.waiting_for(house.fay)) == {busy[5]}


def test_nothing_waits_where_a_passkey_is_required(house, busy):
    Organization.objects.filter(pk=house.organization.pk).update(second_factor_level="passkey")
    assert not queues.waiting_for(house.cleo).exists()
    assert not standing(busy[1], house.cleo).can_decide


def test_nothing_waits_past_its_time(house, busy):
    with time_machine.travel(max(change.expires_at for change in busy), tick=False):
        assert not queues.waiting_for(house.cleo).exists()
        assert not queues.viewable(house.cleo).exists()
        assert numbers(queues.done(house.cleo)) == [1, 2, 3, 4, 5]


def test_view_on_one_workflow_shows_that_workflow(house, busy):
    Grant.objects.filter(member=house.otto).exclude(workflow=WITHDRAWAL).delete()
    assert numbers(queues.viewable(house.otto)) == [1, 2, 3]
    assert not queues.done(house.otto).exists()


def test_view_on_another_account_shows_nothing_of_this_one(house, busy):
    other = house.organization.accounts.create(name="Other", created_at=timezone.now())
    Grant.objects.filter(member=house.otto).delete()
    grant(house.otto, WITHDRAWAL, Right.APPROVE, other)
    assert not queues.visible(house.otto).exists()
    assert not queues.waiting_for(house.otto).exists()
    grant(house.otto, WITHDRAWAL, Right.APPROVE, house.account)
    assert numbers(queues.waiting_for(house.otto)) == [1, 2, 3]


def test_one_sees_what_one_asked_and_what_ones_bot_asked_without_any_right(house, busy):
    Grant.objects.filter(member__in=[house.ana, house.ben]).delete()
    assert numbers(queues.visible(house.ana)) == [2, 4, 5]
    assert numbers(queues.asked_by(house.ana)) == [2, 4, 5]
    assert numbers(queues.visible(house.ben)) == [1]


def test_another_organization_sees_none_of_it(house, busy, next_door):
    """AZ-2: every list starts from the Organization."""
    grant(next_door.eve, WITHDRAWAL, Right.VIEW)
    for rows in (queues.waiting_for, queues.visible, queues.viewable, queues.done, queues.asked_by):
        assert not rows(next_door.eve).exists()
    assert queues.waiting_count(next_door.eve) == 0


def test_what_has_ended_is_done(house, busy):
    cancel(busy[4].reference, actor=house.ana)
    assert numbers(queues.done(house.ben)) == [5]
    assert numbers(queues.viewable(house.ben)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("held", "asked", "opens"),
    [
        (Right.VIEW, Right.VIEW, True),
        (Right.VIEW, Right.INITIATE, False),
        (Right.INITIATE, Right.VIEW, True),
        (Right.INITIATE, Right.EXECUTE, False),
        (Right.INITIATE, Right.APPROVE, False),
        (Right.APPROVE, Right.VIEW, True),
        (Right.APPROVE, Right.INITIATE, False),
        (Right.EXECUTE, Right.INITIATE, True),
        (Right.EXECUTE, Right.APPROVE, False),
    ],
)
def test_rights_imply_one_another_as_the_table_says(house, held, asked, opens):
    member = house.member("jo", held, workflows=(WITHDRAWAL,))
    assert allows(member, WITHDRAWAL, asked) is opens
    assert granted(member) == {(WITHDRAWAL, held, None)}
    assert not allows(member, Workflow.MANAGE_ACCESS, asked)


def test_a_right_takes_an_active_and_for_all_but_view_a_verified_member(house):
    ana = house.ana
    Member.objects.filter(pk=ana.pk).update(identity="rejected")
    assert allows(ana, WITHDRAWAL, Right.VIEW)
    assert not allows(ana, WITHDRAWAL, Right.INITIATE)
    Member.objects.filter(pk=ana.pk).update(identity="verified", suspended_at=timezone.now())
    assert not allows(ana, WITHDRAWAL, Right.VIEW)


def test_a_right_on_one_account_opens_that_account(house):
    member = house.member("jo", Right.EXECUTE, workflows=(WITHDRAWAL,), account=house.account)
    assert allows(member, WITHDRAWAL, Right.EXECUTE)
    assert allows(member, WITHDRAWAL, Right.EXECUTE, house.account.pk)
    assert not allows(member, WITHDRAWAL, Right.EXECUTE, house.account.pk + 1)


def test_a_bot_holds_no_rights(house):
    assert not allows(house.bot().service_user, WITHDRAWAL, Right.VIEW)


def test_where_one_stands_names_who_can_still_approve_and_why_others_cannot(house, busy):
    seen = standing(busy[0], house.cleo)
    reasons = {person.name: person.reason.they if person.reason else "" for person in seen.people}
    assert reasons == {
        "Ana": "may ask, not approve",
        "Ben": "custodian of the key that asks",
        "Cleo": "",
        "Fay": "",
        "Gus": "has no second factor",
        "Hal": "identity is not verified",
        "Olive": "",
    }
    assert (seen.given, seen.needed, seen.missing) == (0, 2, 2)
    assert seen.candidates[0] == "Cleo (you)"
    assert not seen.stuck


def test_what_can_no_longer_be_finished_says_so(house, busy):
    Authenticator.objects.filter(user__in=[house.cleo.user, house.olive.user]).delete()
    assert "1 more member with Approve on Initiate Withdrawal" in standing(busy[0], house.fay).stuck
