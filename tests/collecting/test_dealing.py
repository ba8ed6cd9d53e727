"""However tests are dealt to workers, none is lost, none comes twice, and what takes long begins every share."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.collecting.dealing import dealt, takes_long


def made(slow: int, fast: int) -> list[Any]:
    """So many tests of each kind, three to a file; what takes long comes last."""

    def test(number: int, marker: str | None) -> Any:
        return SimpleNamespace(
            path=Path(f"{marker}-{number // 3}.py"), get_closest_marker=lambda name: marker if name == marker else None
        )

    return [test(number, None) for number in range(fast)] + [test(number, "slow") for number in range(slow)]


@pytest.mark.parametrize("hands", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("slow", "fast"), [(0, 0), (1, 0), (0, 5), (5, 1), (40, 3), (9, 100), (30, 31)])
def test_each_is_there_once(hands, slow, fast):
    items = made(slow, fast)
    assert sorted(map(id, dealt(items, hands))) == sorted(map(id, items))


def test_every_worker_begins_with_what_takes_long_and_the_files_stay_together():
    shares = dealt(made(12, 48), 4)
    for begin in range(0, 60, 15):
        share = shares[begin : begin + 15]
        assert [takes_long(item) for item in share] == [True] * 3 + [False] * 12
        assert len({item.path for item in share[:3]}) == 1
