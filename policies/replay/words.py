"""What a replay has found, as people say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.replay.comparison import Difference, Grown
from policies.replay.kept import Counts
from policies.rule_words import Names
from portal.core.display.phrases import counted, listed

# In the order in which they matter.
WORDS: Final = {
    Difference.DENIED: "would have been denied",
    Difference.STUCK: "could never finish",
    Difference.MORE: "would have needed more approvals",
    Difference.DELAYED: "would have waited longer after the last approval",
    Difference.FEWER: "would have needed fewer approvals",
    Difference.SOONER: "would have waited less after the last approval",
    Difference.ALLOWED: "would no longer have been denied",
    Difference.FREED: "could finish, which they cannot as things stand",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: how many requests, what is otherwise for them, and of whom more would have been asked."""

    difference: Difference
    count: int
    words: str
    details: tuple[str, ...]


def lines(counts: Counts, names: Names) -> tuple[Line, ...]:
    """Every difference that there is."""
    return tuple(
        Line(each, counts.counts[each], words, tuple(_grown(counts, names)) if each is Difference.MORE else ())
        for each, words in WORDS.items()
        if counts.counts.get(each)
    )


def summary(counts: Counts, names: Names) -> str:
    """`Of 41 requests 1 would have been denied, 2 could never finish and 7 would have needed 1 more approval.`"""
    if not counts.total:
        return "Nobody asked for a withdrawal in these days."
    found = [f"{line.count:,} {_shortest(counts, line, names)}" for line in lines(counts, names)]
    if not found:
        return f"Nothing would have been otherwise for {_all(counts.total)}."
    return f"Of {counted(counts.total, 'request')} {listed(found)}."


def _shortest(counts: Counts, line: Line, names: Names) -> str:
    """With the number, where it is the same for all of them."""
    if line.difference is Difference.MORE and len(counts.grown) == 1:
        (grown,) = counts.grown
        return f"would have needed {_more(grown, names)}"
    return line.words


def _grown(counts: Counts, names: Names) -> Iterator[str]:
    ordered = sorted(counts.grown.items(), key=lambda item: (item[0].group is not None, item[0].group or 0, item[0].by))
    for grown, count in ordered:
        yield f"{count:,} × {_more(grown, names)}"


def _more(grown: Grown, names: Names) -> str:
    if grown.group is None:
        return counted(grown.by, "more approval")
    return f"{grown.by} more of {names.group(grown.group)}"


def _all(total: int) -> str:
    return "the one request" if total == 1 else f"all {counted(total, 'request')}"
