"""Rows that a wrong clock wrote count as written when their neighbours were."""

import pytest

from tests.chaos.checking.hearing import by_right_clocks
from tests.soak.checking.verification import Channel, Expected


def _channel(moments: list[float]) -> Channel:
    rows = [Expected(str(place), moment, {}) for place, moment in enumerate(moments)]
    return Channel("balances", rows, state=lambda place: place, key=str, read_snapshot=list)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 7202, 3, 4], [1, 3, 3, 4]),
        ([3600, 3601, 2, 3603], [3600, 3601, 3603, 3603]),
        ([1, 7202, 7203, 4, 5, 6], [1, 4, 4, 4, 5, 6]),
        ([5, 5, 5], [5, 5, 5]),
    ],
)
def test_what_breaks_the_order_of_time_was_written_before_what_follows(written, right):
    assert [row.written_at for row in by_right_clocks(_channel(written)).rows] == right


def test_what_nothing_right_follows_is_owed_to_nobody():
    assert by_right_clocks(_channel([5, 6, 2])).rows[-1].written_at == float("inf")
