"""Waiting for something to be so, with an end."""

import time
from collections.abc import Callable
from typing import Final

PAUSE: Final = 0.3


def until(is_so: Callable[[], object], within: float, what: str, meanwhile: Callable[[], object] | None = None) -> None:
    """Come back as soon as it is so. Raises: AssertionError naming `what` if it is not in time."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, f"not within {within:.0f} s: {what}"
        if meanwhile is not None:
            meanwhile()
        time.sleep(PAUSE)
