"""How many people could be lost before a workflow stops (DESIGN P6)."""

from policies.rules.dead_ends import barred, initiators, needed, pool
from policies.rules.facts import Bot, Facts, Person
from policies.workflows import Workflow


def spare_people(facts: Facts, workflow: Workflow, account_id: int | None = None) -> int | None:
    """The largest number of people whose loss, whoever they are, still lets somebody carry a request through.

    -1 if it has stopped already; None if it goes on without people, as keys do that withdraw at once. Asked of the
    hardest kind of request, as dead ends are. With several bots whose keys have different custodians it may say one
    fewer than there are, never one more.
    """
    asking = [
        (initiator, needed(workflow, initiator, account_id, facts))
        for initiator in initiators(workflow, account_id, facts)
    ]
    if any(isinstance(initiator, Bot) and number == 0 for initiator, number in asking):
        return None
    able = pool(workflow, account_id, facts)
    alone = {one.user_id for one, number in asking if isinstance(one, Person) and number == 0}
    people = {one.user_id: number for one, number in asking if isinstance(one, Person) and number > 0}
    bots = [(barred(one), number) for one, number in asking if isinstance(one, Bot)]
    numbers = set(people.values()) | {number for _, number in bots}
    if not numbers:
        return len(alone) - 1
    # All who do not finish alone wait for the same number: what the policy says, raised by the lock.
    number = max(numbers)
    everybody = alone | set(people)
    found = [_fewer(alone, able, number), _nobody_asks(everybody, able, bots, number)]
    if set(people) <= able | alone and _can_be_just_enough(alone, able, bots, number):
        found.append(len(alone - able) + len(able) - number)
    return min(found) - 1


def _fewer(alone: set[int], able: frozenset[int], number: int) -> int:
    """Losses until fewer are left than the number asks for, and nobody who finishes alone."""
    return len(alone - able) + max(len(alone & able), len(able) - number + 1, 0)


def _can_be_just_enough(
    alone: set[int], able: frozenset[int], bots: list[tuple[frozenset[int], int]], number: int
) -> bool:
    """Whether exactly the number can be left so that everything waits: who asks, or a custodian, is one of them."""
    left = able - alone
    return len(left) >= number and all(custodians & left for custodians, _ in bots)


def _nobody_asks(asking: set[int], able: frozenset[int], bots: list[tuple[frozenset[int], int]], number: int) -> int:
    """Losses until no person is left to ask, and too few to approve what a key asks."""
    left = able - asking
    return len(asking) + max(0, *(len(left - custodians) - number + 1 for custodians, _ in bots), 0)
