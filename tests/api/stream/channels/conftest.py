"""A clock that stands, and prices that walk, for channels that are told of nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock(time_machine):
    """The time stands at START; `clock(seconds)` moves it there, counted from START."""

    def at(seconds):
        time_machine.move_to(START + timedelta(seconds=seconds), tick=False)

    at(0)
    return at
