"""What is asked of groups: make one, change one, remove one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Roster:
    """What a group is called, and the Members in it by primary key, sorted."""

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """A new group: its name, and who is in it, sorted."""

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Another name of a group, or others in it. `before` is what was seen: what changed since is not written over."""

    group_id: int
    before: Roster
    after: Roster

    @property
    def is_renamed(self) -> bool:
        """Whether it gets another name."""
        return self.before.name != self.after.name

    @property
    def joining(self) -> tuple[int, ...]:
        """Who comes in."""
        return tuple(sorted({*self.after.members} - {*self.before.members}))

    @property
    def leaving(self) -> tuple[int, ...]:
        """Who goes out."""
        return tuple(sorted({*self.before.members} - {*self.after.members}))

    @property
    def moving(self) -> tuple[int, ...]:
        """Both: those whom it is about."""
        return (*self.joining, *self.leaving)


@dataclass(frozen=True, slots=True)
class RemoveGroup:
    """The group that shall be none any more, with what it was when this was asked, for the record."""

    group_id: int
    seen: Roster
