"""How tests are dealt to workers: what takes long waits for servers mostly, and waits best while others work."""

from itertools import groupby

import pytest


def dealt(items: list[pytest.Item], hands: int) -> list[pytest.Item]:
    """The same tests, for so many workers of which each begins with an equal part, one after the other.

    What takes long comes first in every hand, file by file, for a file may start a server of its own: as the last one
    it would keep one worker busy while the others have nothing left.
    """
    slow = [item for item in items if takes_long(item)]
    rest = iter([item for item in items if not takes_long(item)])
    held: list[list[pytest.Item]] = [[] for _ in range(hands)]
    for _, file in groupby(slow, key=lambda item: item.path):
        min(held, key=len).extend(file)
    left = len(items)
    for number, hand in enumerate(held):
        size = left // (hands - number)
        while len(hand) < size and (item := next(rest, None)):
            hand.append(item)
        left -= len(hand)
    return [item for hand in held for item in hand]


def takes_long(item: pytest.Item) -> bool:
    """Whether its marks say so."""
    return item.get_closest_marker("story") is not None or item.get_closest_marker("slow") is not None
