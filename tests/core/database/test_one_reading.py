"""What a page reads once: as long as it only reads, and no longer than itself."""

import pytest
from django.db import transaction

from portal.core.database.one_reading import is_kept, keep, once, one_reading


@pytest.fixture
def reads():
    """Something that says how often it was asked."""
    asked = []

    def read() -> int:
        asked.append(1)
        return len(asked)

    return read


def test_within_the_block_it_is_read_once_and_by_name(db, reads):
    with one_reading():
        assert [once("a", reads), once("a", reads), once(("b", 1), reads), once("a", reads)] == [1, 1, 2, 1]
        assert is_kept("a")
        keep("a", 7)
        assert once("a", reads) == 7


def test_outside_of_one_it_is_read_each_time_and_nothing_is_kept(db, reads):
    keep("a", 7)
    assert [once("a", reads), once("a", reads)] == [1, 2]
    with one_reading():
        once("a", reads)
    assert not is_kept("a")
    assert once("a", reads) == 4


def test_what_changes_something_reads_anew(db, reads):
    """AZ-5: a transaction that is opened on a page goes by nothing that was read before it."""
    with one_reading():
        assert once("a", reads) == 1
        with transaction.atomic():
            assert not is_kept("a")
            assert [once("a", reads), once("a", reads)] == [2, 3]
            keep("a", 7)
        assert once("a", reads) == 1


def test_nothing_that_failed_is_kept(db, reads):
    def fails() -> int:
        raise LookupError

    with one_reading():
        with pytest.raises(LookupError):
            once("a", fails)
        assert once("a", reads) == 1
