"""What groups of so many people at most could ever do, and so what counts of anybody in one.

Whatever takes more people than that is never done, even if all of them could ask and approve, and whatever it would ask
is no reason to tell two people apart.
"""

from collections.abc import Set
from dataclasses import dataclass, replace

from policies.rules.facts import Bot
from policies.rules.takeover.asks import Ask
from policies.rules.takeover.covers import fewest
from policies.rules.takeover.ground import Ground
from policies.rules.takeover.moves import Move, after
from policies.rules.takeover.newcomers import ask_for_access
from policies.rules.takeover.roads import Roads
from policies.rules.takeover.targets import ACCESS, ADDRESSES, MONEY, POLICIES, State, Target
from policies.workflows import Workflow


@dataclass(frozen=True, slots=True)
class Counts:
    """What counts: rights on these workflows, being in these groups of Members, and which keys somebody holds."""

    workflows: frozenset[Workflow]
    groups: frozenset[int]
    keys: bool


def everything(roads: Roads) -> Counts:
    """What counts where nobody knows how many it takes."""
    target = roads.ground.target.workflow
    workflows = {ACCESS, POLICIES, target, *((MONEY, ADDRESSES) if target is MONEY else ())}
    return Counts(frozenset(workflows), frozenset(roads.ground.groups), True)


def within(roads: Roads, most: int) -> Counts | None:
    """What counts among groups of `most` people; None if none of them reaches the target."""
    ground = roads.ground
    first = State(frozenset())
    last, moves = _as_far_as(roads, first, most)
    ends = [ask for _, ask in roads.endings(last) if ask.fewest <= most]
    newcomers = _is_possible(ground, last, ask_for_access(ground, last), most)
    if not newcomers and not any(_is_possible(ground, last, ask, most) for ask in ends):
        return None
    access = ground.ask(first, Target(ACCESS))
    lets_in = any(person.is_kept_out or not person.is_verified for person in ground.people)
    done = [ask for move in moves if (ask := roads.ask(first, move)) is not None]
    if lets_in or newcomers or _is_possible(ground, last, ground.ask(last, Target(ACCESS)), most):
        done += [access, *((ask_for_access(ground, first),) if newcomers or lets_in else ())]
    ways = [ask for known in (first, replace(first, has_address=True)) for _, ask in roads.endings(known)]
    workflows = {ask.workflow for ask in (*done, *ways, *ends)}
    groups = {group for ask in (*done, *ways) for group in ask.groups}
    changes = POLICIES in workflows
    keys = changes or any(ask.is_held for ask in ends)
    return Counts(frozenset(workflows | ({MONEY} if changes else set())), frozenset(groups), keys)


def _as_far_as(roads: Roads, first: State, most: int) -> tuple[State, list[Move]]:
    """How far they could come, and by which changes of policies and addresses."""
    state = first
    made: list[Move] = []
    while True:
        asks = ((move, roads.ask(state, move)) for move in roads.moves((), state) if not isinstance(move, Bot))
        fresh = [move for move, ask in asks if ask is not None and _is_possible(roads.ground, state, ask, most)]
        if not fresh:
            awake = frozenset(bot.service_user_id for bot in roads.ground.suspended)
            return replace(state, resumed=awake), made
        for move in fresh:
            made.append(move)
            state = after(state, move)


def _is_possible(ground: Ground, state: State, ask: Ask, most: int) -> bool:
    """Whether so many people could do that, the best of all; they enter every group that they could."""
    if ask.fewest > most:
        return False
    everybody = frozenset(ground.by_id)
    enters = ask.groups and ground.ask(state, Target(ACCESS)).fewest <= most

    def members(group: int) -> Set[int]:
        return everybody if enters and not ground.is_named_by_lock(state, group) else ground.members(state, group)

    counts = (ask.counts(None, need, members, everybody) for need in ask.different)
    return any(fewest(each, most - 1) is not None for each in counts)
