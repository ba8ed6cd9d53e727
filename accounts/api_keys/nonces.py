"""Which nonces a key still accepts: a pure rule, and its state in the key's row."""

from dataclasses import dataclass, replace
from typing import Final

KEPT: Final = 64
MAX_WINDOW: Final = 2**62


@dataclass(frozen=True, slots=True)
class NonceUsed:
    """The nonce cannot be taken any more: `high` is the highest that the key has used."""

    high: int


@dataclass(frozen=True, slots=True)
class Nonces:
    """What a key has seen. `high` is the highest nonce; at or below `floor` all count as seen; `recent` is newest last.

    `window` counts nonce units; 0 means strictly rising.
    """

    high: int
    window: int = 0
    floor: int = -1
    recent: tuple[int, ...] = ()


def accept(state: Nonces, nonce: int) -> Nonces | None:
    """The state after `nonce`, or None if it was used, or can no longer be told from a used one.

    A nonce above the highest always passes; a lower one only inside the window, once (protocol reference §3). No more
    than KEPT are remembered, so one that arrives more than KEPT calls late is refused.
    """
    if nonce <= state.high:
        is_inside = nonce > state.high - state.window and nonce > state.floor
        if not is_inside or nonce in state.recent:
            return None
    kept, forgotten = (*state.recent, nonce), state.floor
    if len(kept) > KEPT:
        forgotten = max(forgotten, *kept[:-KEPT])
    return replace(state, high=max(state.high, nonce), recent=kept[-KEPT:], floor=forgotten)
