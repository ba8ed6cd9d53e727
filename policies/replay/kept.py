"""A comparison as a row keeps it: as plain JSON, and as it is read again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies import payload
from policies.replay.comparison import Comparison, Difference, Grown
from policies.rules.language import Demand


@dataclass(frozen=True, slots=True)
class Counts:
    """What a replay has counted of `total` requests; `pairs` is what was asked, and would have been."""

    total: int
    counts: Mapping[Difference, int]
    grown: Mapping[Grown, int]
    pairs: Sequence[tuple[Demand, Demand]]


def written(comparison: Comparison) -> tuple[dict[str, object], dict[str, object]]:
    """What was counted, and the requests apart from it: only a list of them reads these."""
    result: dict[str, object] = {
        "total": comparison.total,
        "counts": {each.value: count for each, count in comparison.counts.items()},
        "grown": [[grown.group, grown.by, count] for grown, count in comparison.grown.items()],
        "pairs": [[payload.encode(each) for each in pair] for pair in comparison.pairs],
    }
    return result, {each.value: [list(row) for row in rows] for each, rows in comparison.found.items()}


def read(result: Mapping[str, object]) -> Counts:
    """What `written` has said of the counts.

    Raises: payload.Unreadable if another version wrote it.
    """
    kept = payload.decode(_Kept, dict(result))
    return Counts(
        total=kept.total,
        counts={Difference(each): count for each, count in kept.counts.items()},
        grown=Counter({Grown(group, by): count for group, by, count in kept.grown}),
        pairs=kept.pairs,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    total: int
    counts: dict[str, int]
    grown: list[tuple[int | None, int, int]]
    pairs: list[tuple[Demand, Demand]]
