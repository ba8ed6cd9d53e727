"""The groups of an Organization, with who is in each and what asks for it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.groups.asking import Asks, asks_for
from policies.models import Group
from policies.rules import Facts, Person
from policies.snapshot import gather

if TYPE_CHECKING:
    from accounts.models import Member, Organization


@dataclass(frozen=True, slots=True)
class Listed:
    """One group: `people` are in it, by name, also who is suspended; `asks` says which policies name it."""

    group_id: int
    name: str
    people: tuple[Person, ...]
    asks: tuple[Asks, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Who is in it; of who can do nothing now it says so."""
        return tuple(person.name if person.is_active else f"{person.name} (suspended)" for person in self.people)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who can be in a group: every Member, also who is suspended, as they come back."""

    member_id: int
    user_id: int
    name: str
    email: str
    is_suspended: bool


def candidates(organization: "Organization") -> tuple[Candidate, ...]:
    """All of them, by name, in one statement."""
    members = organization.members.filter(removed_at=None).select_related("user").order_by("user__name", "pk")
    return tuple(
        Candidate(member.pk, member.user_id, member.label, member.user.email, not member.is_active)
        for member in members
    )


def of_member(member: "Member") -> tuple[Group, ...]:
    """The groups that somebody is in, by name."""
    return tuple(Group.objects.filter(memberships__member=member, removed_at=None).order_by("name", "pk"))


def listed(organization: "Organization") -> tuple[Listed, ...]:
    """Every group there is, by name, in two statements however many there are."""
    return of_facts(gather(organization))


def of_facts(facts: Facts) -> tuple[Listed, ...]:
    """The same from facts that are there already: nothing is read."""
    named = sorted(facts.groups.items(), key=lambda group: (group[1].casefold(), group[0]))
    return tuple(
        Listed(
            group_id,
            name,
            tuple(person for person in facts.people if group_id in person.groups),
            asks_for(group_id, facts.policies),
        )
        for group_id, name in named
    )
