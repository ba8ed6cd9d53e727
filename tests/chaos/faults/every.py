"""All faults, and in which order a run goes through them."""

import random
from collections.abc import Iterator
from typing import Final

from tests.chaos.faults import outages, partitions, processes, slowness, strangers, upkeep
from tests.chaos.faults.fault import Fault

ALL: Final[tuple[type[Fault], ...]] = (
    *processes.ALL, *outages.ALL, *partitions.ALL, *slowness.ALL, *strangers.ALL, *upkeep.ALL,
)  # fmt: skip


def chosen(words: str) -> list[type[Fault]]:
    """Those whose names contain one of the words, by comma; all, if there are none.

    Raises: ValueError if one of them is in no name.
    """
    found: list[type[Fault]] = []
    for word in filter(None, map(str.strip, words.split(","))):
        named = [fault for fault in ALL if word.lower() in fault.name.lower()]
        if not named:
            raise ValueError(f"no fault is called so: {word}. There are: {'; '.join(fault.name for fault in ALL)}")
        found += [fault for fault in named if fault not in found]
    return found or list(ALL)


def order(faults: list[type[Fault]], chance: random.Random) -> Iterator[type[Fault]]:
    """For ever: each once in random order, then each again."""
    while True:
        yield from chance.sample(faults, len(faults))
