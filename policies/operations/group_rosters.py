"""What the operations on groups share: a group as it is, who may be in one, and the names of those."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from policies import notes
from policies.models import Group
from policies.models.group import NAME_LENGTH
from policies.operations.group_params import Roster
from portal.core.database.one_reading import is_kept, keep, once
from portal.core.display.lookalikes import look
from portal.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from policies.models import ChangeRequest

MAX_GROUPS: Final = 50
# A page posts one field for each, and no more than a hundred of all kinds are read.
MAX_MEMBERS: Final = 80
NO_GROUP: Final = "There is no such group any more."
GONE: Final = "somebody who is gone"


def found(organization_id: int, group_id: int) -> Group | None:
    """The Organization's group of that primary key; None if there is none, or it was removed."""
    return Group.objects.filter(organization_id=organization_id, removed_at=None, pk=group_id).first()


def find(organization_id: int, group_id: int) -> Group:
    """The same. Raises: NotFound if there is none."""
    group = found(organization_id, group_id)
    if group is None:
        raise NotFound(NO_GROUP)
    return group


def roster_of(group: Group) -> Roster:
    """The group as it is now."""
    members = group.memberships.order_by("member_id").values_list("member_id", flat=True)
    return Roster(group.name, tuple(members))


def check_name(organization_id: int, name: str, *, but: int | None = None) -> None:
    """Let a group be called so; `but` is the group that is called so itself.

    Raises: Invalid beside `name` if it is empty, too long, cannot be seen in full, or looks like another group's.
    """
    if not name or notes.clean(name, field="name", max_length=NAME_LENGTH) != name:
        raise Invalid("Give the group a name without space at its ends.", field="name")
    known = Group.objects.filter(organization_id=organization_id, removed_at=None).values_list("pk", "name")
    if any(look(other) == look(name) for pk, other in known if pk != but):
        raise Invalid(f"There is a group named {name} already, or one like it. Choose another name.", field="name")


def check_members(change: "ChangeRequest", members: Sequence[int], joining: Collection[int]) -> None:
    """Let these be a group, of whom `joining` are not in it yet.

    Raises: Invalid beside `members` if they are none or too many; NotFound for who is no Member of this Organization.
    """
    if not members:
        raise Invalid("Choose one member at least.", field="members")
    if len(members) > MAX_MEMBERS:
        raise Invalid(f"A group has {MAX_MEMBERS} members at most; these are {len(members)}.", field="members")
    if list(members) != sorted(set(members)):
        raise Invalid("A group has each member once.", field="members")
    here = change.organization.members.filter(pk__in=list(joining), removed_at=None)
    if here.count() < len(joining):
        raise NotFound("There is no such member in this Organization.")


def still_members(change: "ChangeRequest", members: Iterable[int]) -> tuple[int, ...]:
    """Those of `members` who are still Members."""
    here = change.organization.members.filter(pk__in=list(members), removed_at=None)
    return tuple(here.order_by("pk").values_list("pk", flat=True))


def names(change: "ChangeRequest", members: Iterable[int]) -> Mapping[int, str]:
    """What these Members of the request's Organization are called, by name; what a page has read is not read again."""
    wanted = frozenset(members)
    if all(is_kept(_kept(pk)) for pk in wanted):
        found = {pk: once(_kept(pk), lambda: GONE) for pk in wanted}
    else:
        found = read_names(change, wanted)
    return dict(sorted(found.items(), key=lambda member: (member[1].casefold(), member[0])))


def read_names(change: "ChangeRequest", members: Iterable[int]) -> dict[int, str]:
    """The same in one statement, and kept for the other requests of a page."""
    wanted = frozenset(members)
    known = dict(change.organization.members.filter(pk__in=wanted).values_list("pk", "user__name"))
    found = {pk: known.get(pk, GONE) for pk in wanted}
    for pk, name in found.items():
        keep(_kept(pk), name)
    return found


def _kept(pk: int) -> tuple[str, int]:
    return ("name of member", pk)
