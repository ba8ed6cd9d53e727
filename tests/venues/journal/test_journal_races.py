"""Two connections at once over one Account's journal: no gaps, and in the order of the commits (DESIGN V3)."""

import threading
import time
from contextlib import suppress
from functools import partial

import pytest
from django.db import connection, transaction

from portal.venues.journal import reading, writing
from portal.venues.journal.writing import note
from tests.venues.conftest import open_account, together
from tests.venues.journal.following import names, news, numbered
from tests.venues.ordering import VENUE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
EACH = 25


class Undone(Exception):
    """What a test rolls back with."""


def act(account, name, *, undo=False):
    """Note two events in a transaction of its own, and take them back if told to."""
    with suppress(Undone), transaction.atomic():
        with writing.together():
            note(account.pk, news(f"{name}1"))
            note(account.pk, news(f"{name}2"))
        if undo:
            raise Undone


def test_numbers_have_no_gap_though_others_roll_back():
    account = open_account()

    def many(who):
        for number in range(EACH):
            act(account, f"{who}{number}-", undo=(number % 3 == who))

    results = together(*(partial(many, who) for who in range(4)))

    assert results == [None] * 4
    kept = [f"{who}{number}-" for who in range(4) for number in range(EACH) if number % 3 != who]
    rows = numbered(account)
    assert [number for number, _ in rows] == list(range(1, 2 * len(kept) + 1))
    noted = [name for _, name in rows]
    assert sorted(noted) == sorted(name + part for name in kept for part in "12")
    pairs = list(zip(noted[::2], noted[1::2], strict=True))
    assert all(first[:-1] == second[:-1] for first, second in pairs), "what was noted together stands together"


def test_whoever_reads_meanwhile_misses_nothing_and_sees_nothing_twice():
    """A number that becomes visible after a higher one would be passed over for ever."""
    account, done = open_account(), threading.Event()
    seen: list[int] = []

    def write(who):
        for number in range(EACH):
            act(account, f"{who}{number}-", undo=(number % 5 == who))
        return "written"

    def read():
        while True:
            is_last = done.is_set()
            rows = reading.events(account.pk, seen[-1] if seen else 0, VENUE, limit=3)
            seen.extend(row.number for row in rows)
            if is_last and not rows:
                return "read"

    def writers():
        try:
            return together(*(partial(write, who) for who in range(3)))
        finally:
            done.set()

    results = together(writers, read)

    assert results == [["written"] * 3, "read"]
    assert seen == list(range(1, reading.place(account.pk) + 1))
    assert len(seen) == 2 * (3 * EACH - 3 * EACH // 5)


def test_who_comes_second_gets_its_number_after_the_first_has_ended():
    """The one that has the number rolls back: nobody has told of it, and the other one takes its number."""
    account = open_account()
    act(account, "a")
    has_number = threading.Event()

    def first():
        with suppress(Undone), transaction.atomic():
            note(account.pk, news("never"))
            has_number.set()
            time.sleep(0.3)
            raise Undone

    def second():
        has_number.wait()
        act(account, "b")

    assert together(first, second) == [None, None]
    assert names(account) == ["a1", "a2", "b1", "b2"]
    assert [number for number, _ in numbered(account)] == [1, 2, 3, 4]


def test_accounts_do_not_wait_for_each_other():
    """Only those of one Account do; SQLite has one lock for all."""
    if connection.vendor == "sqlite":
        pytest.skip("one lock for everything")
    mine, other = open_account(), open_account()
    has_number, done = threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            note(mine.pk, news("a"))
            has_number.set()
            return done.wait(3)

    def second():
        has_number.wait()
        act(other, "b")
        done.set()

    assert together(first, second) == [True, None]
