"""What a group can do on the way, one at a time: each only ever adds to what it can do next."""

from dataclasses import dataclass, replace
from typing import TypeAlias

from policies.rules.facts import Bot, Person
from policies.rules.takeover.targets import Group, State
from policies.workflows import Workflow


@dataclass(frozen=True, slots=True)
class Lift:
    """The suspension of this person is lifted."""

    person: Person


@dataclass(frozen=True, slots=True)
class Ease:
    """The policy of withdrawals is weakened as far as a policy can be."""


@dataclass(frozen=True, slots=True)
class Enter:
    """This person is put into that group of Members."""

    person: Person
    group: int


@dataclass(frozen=True, slots=True)
class Add:
    """An address of their own comes into the book."""


# Weaken that policy, lift a suspension, of a Member or of this bot, put somebody into a group of Members, add an
# address, verify this person, or remove the policy of this workflow.
Move: TypeAlias = Ease | Lift | Enter | Add | Bot | Person | Workflow


def begin(group: Group) -> State:
    """How far a group is that has done nothing yet."""
    return State(frozenset(person.user_id for person in group if person.is_verified and not person.is_kept_out))


def after(state: State, move: Move) -> State:
    """How far it is after that move."""
    match move:
        case Lift(person):
            me = frozenset({person.user_id})
            return replace(state, lifted=state.lifted | me, able=state.able | (me if person.is_verified else set()))
        case Ease():
            return replace(state, is_eased=True)
        case Enter(person, group):
            return replace(state, entered=state.entered | {(person.user_id, group)})
        case Add():
            return replace(state, has_address=True)
        case Bot():
            return replace(state, resumed=state.resumed | {move.service_user_id})
        case Person():
            return replace(state, able=state.able | {move.user_id})
        case Workflow():
            return replace(state, removed=state.removed | {move.value})
