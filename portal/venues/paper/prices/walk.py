"""A seeded walk that can be entered at any step: tents of many widths, each with heights drawn from a hash.

The octave `k` has a node at every multiple of 2**k steps and runs straight between them; the noise is the sum of all.
Across an aligned block of 2**k steps the octaves from `k` up run straight, and those below stay within their
amplitudes: this bounds every price of the block by looking at its two ends, so that whole blocks can be skipped.
"""

from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from math import isqrt
from typing import TypeAlias

from portal.venues.paper.prices.pairs import MARKETS, REFERENCES, SCALE, price_of, start_of
from portal.venues.paper.prices.path import TRADE_OCTAVE, Reaches, Search
from portal.venues.types import Asset, Pair

OCTAVES = 20
# Straight lines are rounded down, each by less than one.
ROUNDING = OCTAVES + 1
VISITS = 20_000
# Where octaves are at both ends of a block, in parts of which halving it again and again leaves none over.
Ends: TypeAlias = tuple[int, int]


class Walk:
    """The value of each asset wanders around its beginning, never further than about 3.4 times its swing."""

    moves = True

    def __init__(self, seed: str) -> None:
        self.key = f"values:{seed}"
        self._seed = f"walk:{seed}"

    def mid(self, pair_id: str, step: int) -> int:
        """By where both assets have wandered to."""
        pair = MARKETS[pair_id].pair
        values = ((start_of(asset), self._noise(asset.id, step, 0)) for asset in (pair.base, pair.quote))
        return price_of(pair, *(start * (SCALE + noise) for start, noise in values))

    def first(self, pair_id: str, after: int, until: int, reaches: Reaches) -> Search:
        """Go down only into stretches whose bounds could reach it, at most VISITS of them."""
        stack = _roots(after + 1, until)
        for _ in range(VISITS):
            if not stack:
                return Search(None, until)
            octave, index = stack.pop()
            begin = index << octave
            end = begin + (1 << octave) - 1
            if end <= after or begin > until:
                continue
            if octave == 0:
                price = self.mid(pair_id, begin)
                if reaches(price, price):
                    return Search(begin, begin)
            elif reaches(*self._bounds(pair_id, octave, index)):
                stack += [(octave - 1, 2 * index + 1), (octave - 1, 2 * index)]
        octave, index = stack[-1]
        return Search(None, max(after, (index << octave) - 1))

    def extremes(self, pair_id: str, since: int, until: int) -> tuple[int, int]:
        """Both ends by the same search, turned upside down for the upper one."""
        return self._lowest(pair_id, since, until, 1), -self._lowest(pair_id, since, until, -1)

    def _lowest(self, pair_id: str, since: int, until: int, sign: int) -> int:
        """The lowest of `sign` times the price of those trades: the best block first, the hopeless never."""
        since, until = since << TRADE_OCTAVE, until << TRADE_OCTAVE
        pair = MARKETS[pair_id].pair
        best = min(sign * self.mid(pair_id, since), sign * self.mid(pair_id, until))
        stack = [
            (octave, index, self._ends(pair.base, index), self._ends(pair.quote, index))
            for octave, index in _roots(since, until)
        ]
        while stack:
            octave, index, base, quote = stack.pop()
            begin = index << octave
            if begin + (1 << octave) <= since or begin > until:
                continue
            bounds = _prices(pair, _between(pair.base, octave, base), _between(pair.quote, octave, quote))
            if min(sign * bound for bound in bounds) >= best:
                continue
            if octave == TRADE_OCTAVE:
                best = min(best, sign * self.mid(pair_id, begin))
                continue
            halves = zip(
                self._halves(pair.base, octave, index, base),
                self._halves(pair.quote, octave, index, quote),
                strict=True,
            )
            blocks = [(octave - 1, 2 * index + half, *ends) for half, ends in enumerate(halves)]
            blocks.sort(key=lambda block: sign * (sum(block[3]) - sum(block[2])))
            stack += blocks
        return best

    def _ends(self, asset: Asset, index: int) -> Ends:
        """Where the widest octave is at both ends of a block of its own."""
        before, after = (self._noise(asset.id, end << OCTAVES, OCTAVES) for end in (index, index + 1))
        return before << OCTAVES, after << OCTAVES

    def _halves(self, asset: Asset, octave: int, index: int, ends: Ends) -> tuple[Ends, Ends]:
        """The ends of both halves, with the next octave on top: in the middle all wider ones run straight."""
        reference = REFERENCES.get(asset.id)
        if reference is None:
            return ends, ends
        key, amplitude = f"{self._seed}:{reference.pair.id}", _amplitudes(reference.swing)[octave - 1]
        before, middle, after = (_node(key, octave - 1, 2 * index + place, amplitude) << OCTAVES for place in range(3))
        middle += (ends[0] + ends[1]) // 2
        return (ends[0] + before, middle), (middle, ends[1] + after)

    def _bounds(self, pair_id: str, octave: int, index: int) -> tuple[int, int]:
        """Between which prices all steps of the block lie."""
        pair = MARKETS[pair_id].pair
        return _prices(pair, self._values(pair.base, octave, index), self._values(pair.quote, octave, index))

    def _values(self, asset: Asset, octave: int, index: int) -> tuple[int, int]:
        """Between which values of the asset all steps of the block lie."""
        before, after = (self._noise(asset.id, end << octave, octave) << OCTAVES for end in (index, index + 1))
        return _between(asset, octave, (before, after))

    def _noise(self, asset_id: str, step: int, lowest: int) -> int:
        """The sum of the octaves from `lowest` up; dollars stand still."""
        reference = REFERENCES.get(asset_id)
        if reference is None:
            return 0
        total, amplitudes, key = 0, _amplitudes(reference.swing), f"{self._seed}:{reference.pair.id}"
        for octave in range(lowest, OCTAVES + 1):
            width = 1 << octave
            index, rest = step >> octave, step & (width - 1)
            height = _node(key, octave, index, amplitudes[octave])
            if rest:
                height = (height * (width - rest) + _node(key, octave, index + 1, amplitudes[octave]) * rest) >> octave
            total += height
        return total


def _between(asset: Asset, octave: int, ends: Ends) -> tuple[int, int]:
    """Between which values of the asset all steps of a block with such ends lie."""
    reference = REFERENCES.get(asset.id)
    if reference is None:
        return start_of(asset) * SCALE, start_of(asset) * SCALE
    slack = _below(reference.swing)[octave] + ROUNDING
    low, high = (min(ends) >> OCTAVES) - slack, -(-max(ends) >> OCTAVES) + slack
    return reference.start * (SCALE + low), reference.start * (SCALE + high)


def _prices(pair: Pair, base: tuple[int, int], quote: tuple[int, int]) -> tuple[int, int]:
    """Between which prices they bring a pair: least over most, and most over least."""
    return price_of(pair, base[0], quote[1]), price_of(pair, base[1], quote[0])


def _roots(since: int, until: int) -> list[tuple[int, int]]:
    """The widest blocks that cover [since, until], the earliest last."""
    return [(OCTAVES, index) for index in range(until >> OCTAVES, (since >> OCTAVES) - 1, -1)]


@lru_cache(maxsize=64)
def _amplitudes(swing: int) -> tuple[int, ...]:
    """Each octave is wider than the one below by the root of two, as the steps of a walk add up."""
    return tuple(isqrt(swing * swing >> (OCTAVES - octave)) for octave in range(OCTAVES + 1))


@lru_cache(maxsize=64)
def _below(swing: int) -> tuple[int, ...]:
    """How far the octaves below each one can move the price together."""
    return tuple(accumulate(_amplitudes(swing), initial=0))


@lru_cache(maxsize=1 << 17)
def _node(key: str, octave: int, index: int, amplitude: int) -> int:
    digest = blake2b(f"{key}:{octave}:{index}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) * (2 * amplitude + 1) >> 64) - amplitude
