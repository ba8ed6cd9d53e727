"""Groups as the tests ask for them, and rules that name them."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from policies.changes import propose
from policies.models import Group, GroupMember, Policy
from policies.operations import ChangeGroup, CreateGroup, RemoveGroup, Roster, change_group, create_group, remove_group
from policies.operations.group_rosters import roster_of
from policies.rules.language import GroupApprovals, Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow


def create(actor, name, *members):
    return propose(create_group, actor=actor, params=CreateGroup(name, ids(members)))


def change(actor, group, *, name=None, members=None):
    """Ask that the group is called `name`, and that these are in it, seen from what it is now."""
    group.refresh_from_db()
    before = roster_of(group)
    after = Roster(before.name if name is None else name, before.members if members is None else ids(members))
    return propose(change_group, actor=actor, params=ChangeGroup(group.pk, before, after))


def remove(actor, group):
    return propose(remove_group, actor=actor, params=RemoveGroup(group.pk, roster_of(group)))


def ids(members) -> tuple[int, ...]:
    return tuple(sorted(member.pk for member in members))


def in_it(group) -> set[str]:
    return set(group.memberships.values_list("member__user__name", flat=True))


def ask_of(house, group, count=1, *, workflow=Workflow.INITIATE_WITHDRAWAL, locked=False) -> Policy:
    """A policy whose one rule asks for so many approvals of that group."""
    policy: Policy = house.policy(workflow, count, locked=locked)
    policy.rules = written_rules([Rule(groups=(GroupApprovals(group.pk, count),))])
    policy.save()
    return policy


@pytest.fixture
def make(house) -> Callable[..., Group]:
    """A group that is there, however it came about."""

    def made(name, *members, organization=None) -> Group:
        group = Group.objects.create(
            organization=organization or house.organization, name=name, created_at=timezone.now()
        )
        GroupMember.objects.bulk_create([GroupMember(group=group, member=member) for member in members])
        return group

    return made
