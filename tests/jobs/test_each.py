"""Loops over what concerns many (fault security-H4): one that fails stops none of the others."""

import pytest
from django.db import DataError, OperationalError

from portal.jobs.isolated_loop import each


def test_one_that_fails_stops_none_of_the_others(caplog):
    def act(number):
        if number == 2:
            raise DataError("too long")
        return number

    assert each([1, 2, 3], act, what="count") == 4
    assert "Could not count" in caplog.text


def test_a_database_that_is_away_is_away_for_all():
    def act(_number):
        raise OperationalError

    with pytest.raises(OperationalError):
        each([1, 2], act, what="count")
