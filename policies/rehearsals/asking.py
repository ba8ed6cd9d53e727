"""What a rehearsal asks, and of whom."""

from dataclasses import dataclass
from typing import Final

from policies.rules import Asked, Facts, Person, eligible, why_not
from policies.rules.facts import Bot
from policies.workflows import Workflow

# The subject of every rehearsal and of nothing else: by it one is found again, and each member asks for one at a time.
SUBJECT: Final = "rehearsal"


@dataclass(frozen=True, slots=True)
class Rehearse:
    """Who is asked, by the primary keys of their memberships: everybody who may approve, or those of one group.

    The list is that of the moment at which it was asked: who comes later is not among them.
    """

    group: int | None
    group_name: str
    asked: tuple[int, ...]


def key_of(workflow: Workflow) -> str:
    """The name of the operation that rehearses `workflow`: it is decided by who may approve there."""
    return f"policies.rehearse_{workflow.value}"


def approvers(facts: Facts, workflow: Workflow) -> tuple[Person, ...]:
    """Whoever may approve there, for any Account, if a stranger asks. Rest ends by itself, so those who rest count."""
    stranger = Asked(workflow, Bot(0, "", 0))
    return tuple(person for person in facts.people if why_not(person.awake, stranger, facts.level) is None)


def to_be_asked(facts: Facts, workflow: Workflow, group: int | None, asker: Person) -> tuple[Person, ...]:
    """Whoever may answer now if `asker` asks; of a group, who is in it. Who asks shows by that that they are there."""
    found = eligible(Asked(workflow, asker), facts)
    return tuple(person for person in found if group is None or group in person.groups)


def params_for(facts: Facts, workflow: Workflow, group: int | None, asker: Person) -> Rehearse:
    """A rehearsal of `workflow` as things stand."""
    asked = tuple(sorted(person.member_id for person in to_be_asked(facts, workflow, group, asker)))
    return Rehearse(group, facts.groups.get(group, "") if group is not None else "", asked)
