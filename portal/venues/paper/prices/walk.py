"""A seeded walk that can be entered at any step: tents of many widths, each with heights drawn from a hash.

The octave `k` has a node at every multiple of 2**k steps and runs straight between them; the noise is the sum of all.
Across an aligned block of 2**k steps the octaves from `k` up run straight, and those below stay within their
amplitudes: this bounds every price of the block by looking at its two ends, so that whole blocks can be skipped.
"""

from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from math import isqrt

from portal.venues.paper.prices.pairs import MARKETS, REFERENCES, SCALE, price_of, start_of
from portal.venues.paper.prices.path import TRADE_OCTAVE, Reaches, Search
from portal.venues.types import Asset

OCTAVES = 20
# Straight lines are rounded down, each by less than one.
ROUNDING = OCTAVES + 1
VISITS = 20_000


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
        best = min(sign * self.mid(pair_id, since), sign * self.mid(pair_id, until))
        stack = _roots(since, until)
        while stack:
            octave, index = stack.pop()
            begin = index << octave
            if begin + (1 << octave) <= since or begin > until:
                continue
            if octave == TRADE_OCTAVE:
                best = min(best, sign * self.mid(pair_id, begin))
            elif min(sign * bound for bound in self._bounds(pair_id, octave, index)) < best:
                halves = [(octave - 1, 2 * index), (octave - 1, 2 * index + 1)]
                halves.sort(key=lambda half: -sign * self._leaning(pair_id, half[1] << half[0], half[0]))
                stack += halves
        return best

    def _bounds(self, pair_id: str, octave: int, index: int) -> tuple[int, int]:
        """Between which prices all steps of the block lie: least over most, and most over least."""
        pair = MARKETS[pair_id].pair
        base_low, base_high = self._values(pair.base, octave, index)
        quote_low, quote_high = self._values(pair.quote, octave, index)
        return price_of(pair, base_low, quote_high), price_of(pair, base_high, quote_low)

    def _values(self, asset: Asset, octave: int, index: int) -> tuple[int, int]:
        """Between which values of the asset all steps of the block lie."""
        if asset.id not in REFERENCES:
            return start_of(asset) * SCALE, start_of(asset) * SCALE
        ends = [self._noise(asset.id, end << octave, octave) for end in (index, index + 1)]
        slack = _below(REFERENCES[asset.id].swing)[octave] + ROUNDING
        return start_of(asset) * (SCALE + min(ends) - slack), start_of(asset) * (SCALE + max(ends) + slack)

    def _leaning(self, pair_id: str, step: int, lowest: int) -> int:
        """Which of two blocks is likelier to hold the higher price."""
        pair = MARKETS[pair_id].pair
        return self._noise(pair.base.id, step, lowest) - self._noise(pair.quote.id, step, lowest)

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
