"""Events come back as they were noted, from any number on; what is not kept any more is said to be lost."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.venues.journal import codec, reading, tasks
from portal.venues.journal.models import JournalEntry, JournalHead
from portal.venues.journal.reading import Lost
from portal.venues.journal.writing import hold, note
from portal.venues.types import OrderChange, OrderEvent, TradeQuery
from tests.venues.conftest import open_account
from tests.venues.journal.following import AT, events, names, news
from tests.venues.ordering import VENUE, place

pytestmark = pytest.mark.django_db


def read(account, after, limit=500):
    return reading.events(account.pk, after, VENUE, limit)


@pytest.fixture
def shared():
    """A database with a clock of its own."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite goes by the clock of the machine")


@pytest.fixture
def five(empty):
    """An Account to which `a` to `e` happened."""
    for name in "abcde":
        note(empty.pk, news(name))
    return empty


def test_what_follows_a_number_is_read_in_one_statement(five, django_assert_num_queries):
    with django_assert_num_queries(1):
        rows = read(five, 3)
    assert [(row.number, row.event.ledger_id) for row in rows] == [(4, "d"), (5, "e")]
    with django_assert_num_queries(1):
        assert read(five, 5) == []
    assert [row.number for row in read(five, 1, limit=2)] == [2, 3]


def test_an_account_to_which_nothing_happened_has_nothing_to_tell(empty):
    assert read(empty, 0) == []
    hold(empty.pk)
    assert read(empty, 0) == []


def test_places_of_many_accounts_take_one_statement(five, django_assert_num_queries):
    other = open_account()
    with django_assert_num_queries(1):
        assert reading.places([five.pk, other.pk]) == {five.pk: 5, other.pk: 0}
    assert reading.places([]) == {}
    assert (reading.place(five.pk), reading.place(other.pk)) == (5, 0)


def test_nobody_reads_another_accounts_events(five):
    other = open_account()
    note(other.pk, news("theirs"))
    assert names(five) == list("abcde")
    assert names(other) == ["theirs"]


def test_a_number_that_was_never_given_is_lost(five):
    """A database that was put back to an earlier hour: what comes next would be taken for something else."""
    with pytest.raises(Lost):
        read(five, 6)
    with pytest.raises(Lost):
        read(open_account(), 1)


def later(**time: int) -> None:
    """So much later by the clock that dates the rows, which on PostgreSQL is the server's: it cannot be moved."""
    JournalEntry.objects.update(written_at=F("written_at") - timedelta(**time))


def test_what_is_older_than_an_hour_is_pruned_and_lost_to_who_was_not_there(five):
    later(minutes=30)
    note(five.pk, news("f"))
    later(minutes=31)
    tasks.prune()

    assert JournalEntry.objects.get().number == 6
    for after in (0, 4):
        with pytest.raises(Lost):
            read(five, after)
    assert [row.number for row in read(five, 5)] == [6]
    assert read(five, 6) == []

    later(hours=1)
    tasks.prune()
    with pytest.raises(Lost):
        read(five, 5)
    assert read(five, 6) == []
    note(five.pk, news("g"))
    assert [row.number for row in read(five, 6)] == [7], "numbers are never given twice"


@pytest.mark.postgresql
@pytest.mark.parametrize("wrong", [timedelta(hours=2), timedelta(hours=-2)], ids=["ahead", "behind"])
def test_a_node_whose_clock_is_wrong_prunes_what_is_old_and_nothing_else(shared, five, time_machine, wrong):
    """Its own rows and those of others: both are dated, and judged, by the clock that all nodes share."""
    later(minutes=61)
    note(five.pk, news("f"))
    time_machine.move_to(timezone.now() + wrong)
    note(five.pk, news("g"))
    tasks.prune()
    assert [row.number for row in read(five, 5)] == [6, 7]
    assert JournalEntry.objects.count() == 2
    time_machine.move_to(timezone.now() - wrong)
    tasks.prune()
    assert [row.number for row in read(five, 5)] == [6, 7]


@pytest.mark.postgresql
def test_what_is_old_is_found_by_the_index(shared, five):
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        tasks.prune()
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (written_at < (statement_timestamp() -" in plan


def test_pruning_removes_as_much_as_there_is(five, monkeypatch):
    monkeypatch.setattr(tasks, "AT_ONCE", 2)
    later(hours=1, seconds=1)
    tasks.prune()
    assert not JournalEntry.objects.exists()
    assert JournalHead.objects.get().last == 5


def test_a_hole_in_the_middle_is_lost(five):
    """Nodes whose clocks differ may prune out of order."""
    JournalEntry.objects.filter(number=3).delete()
    with pytest.raises(Lost):
        read(five, 1)
    assert [row.number for row in read(five, 3)] == [4, 5]


def test_a_ledger_event_comes_back_to_the_last_place(empty):
    written = news(amount="-0.0000000001")
    note(empty.pk, written)
    (found,) = events(empty)
    assert found == written
    assert [str(found.amount), str(found.fee)] == ["-1E-10", "0E-10"]
    assert found.amount.as_tuple() == Decimal("-0.0000000001").as_tuple()
    assert '"asset":"XXBT"' in codec.encoded(written)


def test_an_order_event_comes_back_whole_with_its_trade(trader):
    start = reading.place(trader.pk)
    row = place(trader, "buy", "0.01", "70000", userref=7, pair="BTC/USD")
    (trade,) = VENUE.trades(trader.pk, TradeQuery()).rows
    new, traded = [event for event in events(trader, start) if isinstance(event, OrderEvent)]

    assert (new.change, new.trade, new.order.filled_volume) == (OrderChange.NEW, None, Decimal(0))
    assert (traded.change, traded.order, traded.trade) == (OrderChange.TRADE, row, trade)
    assert traded.order.pair is not None
    assert str(traded.order.volume) == "0.01000000"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"is":"ledger","asset":"NONE"}',
        '{"is":"order","order":{"pair":"NONE"}}',
        '{"is":"order","order":null}',
        '{"is":"ledger","asset":"XXBT","amount":"much"}',
    ],
)
def test_what_another_version_wrote_and_this_one_cannot_read_is_lost(five, body):
    JournalEntry.objects.filter(number=2).update(body=body)
    with pytest.raises(Lost):
        read(five, 0)
    assert len(read(five, 2)) == 3


def test_what_a_later_version_adds_is_passed_over(five):
    text = codec.encoded(news("b"))
    JournalEntry.objects.filter(number=2).update(body=text.replace('"is":', '"more":[1],"is":'))
    assert names(five) == list("abcde")
    assert events(five)[1].at == AT
