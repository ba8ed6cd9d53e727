"""What is noted is written with what it tells of, or not at all, and numbered without gaps."""

from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from portal.venues.journal import reading, wakeup
from portal.venues.journal.models import JournalEntry, JournalHead
from portal.venues.journal.writing import hold, note, together
from tests.venues.conftest import open_account
from tests.venues.journal.following import names, news, numbered, told

pytestmark = pytest.mark.django_db


class Undone(Exception):
    """What a test rolls back with."""


def test_events_of_an_account_are_numbered_from_one_without_gaps(empty):
    other = open_account()
    for name in "abc":
        note(empty.pk, news(name))
        note(other.pk, news(name.upper()))

    assert numbered(empty) == [(1, "a"), (2, "b"), (3, "c")]
    assert numbered(other) == [(1, "A"), (2, "B"), (3, "C")]


def test_what_is_noted_together_is_written_at_once_however_much_it_is(empty, django_assert_num_queries):
    note(empty.pk, news("a"))
    # On SQLite the number of the head is a statement of its own.
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2), together():
        for _ in range(100):
            note(empty.pk, news("b"))
    assert [row.number for row in told(empty)] == list(range(1, 102))


def test_nothing_noted_takes_no_statement(empty, django_assert_num_queries):
    with django_assert_num_queries(0), together():
        pass


def test_several_accounts_are_written_in_one_order_whoever_was_noted_first(empty):
    other = open_account()
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        together(),
    ):
        note(other.pk, news("b"))
        note(empty.pk, news("a"))
        note(other.pk, news("c"))
    heads = [query["sql"] for query in queries if "journal_head" in query["sql"]]
    assert [str(account.pk) in sql for account, sql in zip((empty, other), heads, strict=True)] == [True, True]
    assert (names(empty), names(other)) == (["a"], ["b", "c"])


def test_an_inner_one_hands_over_and_the_outermost_writes(empty):
    with together():
        note(empty.pk, news("a"))
        with together():
            note(empty.pk, news("b"))
        assert not JournalEntry.objects.exists()
        note(empty.pk, news("c"))
    assert names(empty) == ["a", "b", "c"]


def test_what_an_inner_one_noted_goes_with_its_savepoint(empty):
    with together():
        note(empty.pk, news("a"))
        with suppress(Undone), transaction.atomic(), together():
            note(empty.pk, news("never"))
            raise Undone
        note(empty.pk, news("b"))
    assert names(empty) == ["a", "b"]


def test_what_was_written_in_a_savepoint_goes_with_it_and_leaves_no_gap(empty):
    note(empty.pk, news("a"))
    with suppress(Undone), transaction.atomic():
        with together():
            note(empty.pk, news("never"))
        raise Undone
    note(empty.pk, news("b"))
    assert numbered(empty) == [(1, "a"), (2, "b")]


def test_after_an_exception_nothing_collects_any_more(empty):
    with suppress(Undone), together():
        note(empty.pk, news("never"))
        raise Undone
    note(empty.pk, news("a"))
    assert names(empty) == ["a"]


def test_each_account_is_woken_once_the_transaction_has_committed(
    empty, monkeypatch, django_capture_on_commit_callbacks
):
    woken: list[int] = []
    monkeypatch.setattr(wakeup, "wake", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        with together():
            note(empty.pk, news("a"))
            note(empty.pk, news("b"))
        with suppress(Undone), transaction.atomic():
            note(open_account().pk, news("never"))
            raise Undone
        assert woken == []
    assert woken == [empty.pk]


def test_holding_it_moves_nothing_and_tells_where_it_stands(empty):
    assert hold(empty.pk) == 0 == reading.place(empty.pk)
    note(empty.pk, news("a"))
    assert hold(empty.pk) == 1 == JournalHead.objects.get(account=empty).last
    with together():
        note(empty.pk, news("b"))
        with pytest.raises(RuntimeError, match="cannot be held"):
            hold(empty.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [lambda pk: note(pk, news()), hold, lambda _: together().__enter__()])
def test_nothing_is_written_outside_a_transaction(act):
    account = open_account()
    with pytest.raises(transaction.TransactionManagementError):
        act(account.pk)
    assert not JournalHead.objects.exists()
