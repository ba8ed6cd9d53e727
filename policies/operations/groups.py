"""Making groups, changing what they are called and who is in them, and removing them, by Manage Access (DESIGN P7)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from policies.groups import drafting, is_named, is_named_by_lock
from policies.models import Group, GroupMember
from policies.operations import group_words
from policies.operations.group_params import ChangeGroup, CreateGroup, RemoveGroup, Roster
from policies.operations.group_rosters import (
    MAX_GROUPS,
    check_members,
    check_name,
    find,
    found,
    names,
    roster_of,
    still_members,
)
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.snapshot import policies
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def check_new(*, actor: Actor, params: CreateGroup, change: "ChangeRequest") -> None:
    """Raises: Invalid beside what is wrong; NotFound for who is no Member here; Conflict where there is no room."""
    check_name(change.organization_id, params.name)
    check_members(change, params.members, params.members)
    if Group.objects.filter(organization_id=change.organization_id, removed_at=None).count() >= MAX_GROUPS:
        raise Conflict(f"An Organization has {MAX_GROUPS} groups at most. Remove one that nothing asks for first.")


def check_change(*, actor: Actor, params: ChangeGroup, change: "ChangeRequest") -> None:
    """Raises: as `check_new`; NotFound for a group that is gone; Conflict if what it changes is something else now."""
    now = roster_of(find(change.organization_id, params.group_id))
    if params.is_renamed:
        check_name(change.organization_id, params.after.name, but=params.group_id)
    if params.moving:
        check_members(change, params.after.members, params.joining)
    if (params.is_renamed and now.name != params.before.name) or (
        params.moving and now.members != params.before.members
    ):
        raise Conflict(f"The group {now.name} was changed since this was asked. Look at it again, and ask anew.")
    if not params.is_renamed and not params.moving:
        raise Invalid("Nothing would change.")


def check_removal(*, actor: Actor, params: RemoveGroup, change: "ChangeRequest") -> None:
    """Raises: NotFound for a group that is gone; Conflict while a policy asks for it, or somebody writes such rules."""
    group = find(change.organization_id, params.group_id)
    asking = [each.workflow for each in policies(change.organization) if is_named(group.pk, (each,))]
    if asking:
        first = Workflow(asking[0]).title
        raise Conflict(f"The policy of {first} asks for approvals of {group.name}. First take it out of that policy.")
    for draft in drafting(change.organization, group.pk):
        raise Conflict(
            f"{draft.author.label} is writing rules for {Workflow(draft.workflow).title} that ask for approvals of "
            f"{group.name}. First they take it out of there."
        )


def touched_by_new(*, params: CreateGroup, change: "ChangeRequest") -> tuple[Touched, ...]:
    """Who shall be in it: removed meanwhile, the request is stale."""
    return (_joins(change, params.members),)


def touched_by_change(*, params: ChangeGroup, change: "ChangeRequest") -> tuple[Touched, ...]:
    """The name, who is in it, and whether those who come in are Members still: only what it would write."""
    group = found(change.organization_id, params.group_id)
    now = roster_of(group) if group is not None else Roster("removed already", ())
    fields = []
    if params.is_renamed:
        fields.append(Touched("Name", now.name, params.after.name))
    if params.moving:
        before, after = (group_words.listing(change, members) for members in (now.members, params.after.members))
        fields.append(Touched("Members", before, after, mark=_mark(now.members)))
    if params.joining:
        fields.append(_joins(change, params.joining))
    return tuple(fields)


def touched_by_removal(*, params: RemoveGroup, change: "ChangeRequest") -> tuple[Touched, ...]:
    """The group itself, under the name by which it was seen."""
    group = found(change.organization_id, params.group_id)
    return (Touched("Group", group.name if group is not None else "removed already", "removed"),)


def renewed_removal(params: RemoveGroup, change: "ChangeRequest") -> RemoveGroup:
    """The same group, as it is now."""
    group = found(change.organization_id, params.group_id)
    return params if group is None else replace(params, seen=roster_of(group))


def renewed_change(params: ChangeGroup, change: "ChangeRequest") -> ChangeGroup:
    """The same wanted, seen from the group as it is now."""
    group = found(change.organization_id, params.group_id)
    if group is None:
        return params
    now = roster_of(group)
    members = ({*now.members} | {*still_members(change, params.joining)}) - {*params.leaving}
    name = params.after.name if params.is_renamed else now.name
    return replace(params, before=now, after=Roster(name, tuple(sorted(members))))


@operation(
    "policies.create_group",
    title="Create a group",
    workflow=Workflow.MANAGE_ACCESS,
    params=CreateGroup,
    subject=lambda params: f"new_group:{params.name.lower()[:80]}",
    concerns=lambda params: params.members,
    headline=lambda params: Headline(f"Create the group {params.name}"),
    describe=group_words.describe_new,
    describes_ahead=group_words.read_ahead,
    opened=check_new,
    protection=lock_protection.MAKE_GROUP,
    touches=touched_by_new,
)
def create_group(*, actor: Actor, params: CreateGroup, change: "ChangeRequest") -> Group:
    """Make a group of these Members. It gives them nothing until a rule asks for it.

    Raises: as `check_new`.
    """
    check_new(actor=actor, params=params, change=change)
    group = Group.objects.create(organization_id=change.organization_id, name=params.name, created_at=timezone.now())
    _let_in(group, params.members)
    record(
        EventKind.GROUP_CREATED,
        actor=actor,
        subject=group,
        organization_id=change.organization_id,
        change=change.reference,
        joined=list(names(change, params.members).values()),
    )
    return group


@operation(
    "policies.change_group",
    title="Change a group",
    workflow=Workflow.MANAGE_ACCESS,
    params=ChangeGroup,
    subject=lambda params: f"group:{params.group_id}",
    concerns=lambda params: params.moving,
    headline=lambda params: Headline(f"Change the group {params.before.name}"),
    describe=group_words.describe_change,
    describes_ahead=group_words.read_ahead,
    opened=check_change,
    protection=lock_protection.CHANGE_GROUP,
    protected=lambda params, facts: is_named_by_lock(params.group_id, facts.policies),
    takes_power=lambda params: bool(params.leaving) and not params.joining and not params.is_renamed,
    touches=touched_by_change,
    renewed=renewed_change,
    moves_power=lambda params, facts: bool(params.moving) and is_named(params.group_id, facts.policies),
)
def change_group(*, actor: Actor, params: ChangeGroup, change: "ChangeRequest") -> Group:
    """Give a group another name, let Members in and others out.

    Raises: as `check_change`.
    """
    check_change(actor=actor, params=params, change=change)
    group = find(change.organization_id, params.group_id)
    if params.is_renamed:
        group.name = params.after.name
        group.save(update_fields=["name"])
    _let_in(group, params.joining)
    GroupMember.objects.filter(group=group, member__in=params.leaving).delete()
    called = names(change, params.moving)
    data: dict[str, Any] = {"before": params.before.name, "after": params.after.name} if params.is_renamed else {}
    record(
        EventKind.GROUP_CHANGED,
        actor=actor,
        subject=group,
        organization_id=change.organization_id,
        change=change.reference,
        **data,
        joined=[name for pk, name in called.items() if pk in params.joining],
        left=[name for pk, name in called.items() if pk in params.leaving],
    )
    return group


@operation(
    "policies.remove_group",
    title="Remove a group",
    workflow=Workflow.MANAGE_ACCESS,
    params=RemoveGroup,
    subject=lambda params: f"group:{params.group_id}",
    headline=lambda params: Headline(f"Remove the group {params.seen.name}"),
    describe=group_words.describe_removal,
    describes_ahead=group_words.read_ahead,
    opened=check_removal,
    protection=lock_protection.MAKE_GROUP,
    touches=touched_by_removal,
    renewed=renewed_removal,
)
def remove_group(*, actor: Actor, params: RemoveGroup, change: "ChangeRequest") -> None:
    """Let there be no such group any more; its name is free again.

    Raises: as `check_removal`.
    """
    check_removal(actor=actor, params=params, change=change)
    group = find(change.organization_id, params.group_id)
    left = names(change, roster_of(group).members)
    group.memberships.all().delete()
    group.removed_at = timezone.now()
    group.save(update_fields=["removed_at"])
    record(
        EventKind.GROUP_REMOVED,
        actor=actor,
        subject=group,
        organization_id=change.organization_id,
        change=change.reference,
        left=list(left.values()),
    )


def _let_in(group: Group, members: tuple[int, ...]) -> None:
    GroupMember.objects.bulk_create([GroupMember(group=group, member_id=member) for member in members])


def _joins(change: "ChangeRequest", joining: tuple[int, ...]) -> Touched:
    still = still_members(change, joining)
    now, wanted = (group_words.listing(change, members) for members in (still, joining))
    return Touched("Who joins", now, wanted, mark=_mark(still))


def _mark(members: tuple[int, ...]) -> str:
    return ",".join(map(str, members)) or "nobody"
