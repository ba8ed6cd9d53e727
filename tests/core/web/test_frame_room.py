"""A page costs the same however deep it is called."""

import asyncio
import resource
from collections.abc import Callable
from functools import partial

from portal.core.web.door.threads import Threads
from portal.core.web.frame_room import with_room

CALLS = 2000
# More than one piece of 16 KB holds of the smallest frames.
DEEPEST = 300


def nothing() -> None:
    pass


def many_calls() -> int:
    """How often the system had to give memory meanwhile."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        nothing()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def below(frames: int, work: Callable[[], int]) -> int:
    return below(frames - 1, work) if frames else work()


def test_no_loop_takes_memory_at_each_call_however_deep_it_stands():
    """Without the room it does at one depth of a hundred, and takes ten times as long there."""
    most = max(below(frames, with_room(many_calls)) for frames in range(DEEPEST))
    deeper = max(with_room(below)(frames, many_calls) for frames in range(DEEPEST))
    assert max(most, deeper) < CALLS / 10


def test_calls_of_bots_have_the_room_too():
    """It belongs to the threads behind the door."""
    threads = Threads[int](1, "roomy")

    async def at_each_depth() -> list[int]:
        return [await threads.run(partial(below, frames, many_calls)) for frames in range(DEEPEST)]

    try:
        assert max(asyncio.run(at_each_depth())) < CALLS / 10
    finally:
        threads.end()


def test_what_is_called_with_room_is_the_same():
    @with_room
    def said(*words: str, end: str) -> str:
        """Some words."""
        return " ".join(words) + end

    assert (said("a", "b", end="."), said.__name__, said.__doc__) == ("a b.", "said", "Some words.")
