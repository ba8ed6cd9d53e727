"""What the ledger shows and no list of withdrawals tells of is an alarm too, and only that."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.venues.kraken.models import Alarm
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.kraken.watch_models import Watch
from portal.venues.kraken.watching import ledger, withdrawals
from portal.venues.kraken.withdrawal_rows import Step, Withdrawal
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.watching.conftest import ours

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(look, later):
    """Both lists are read, when what the ledger has must stand in the other one too."""

    def read(seconds: float = 600) -> None:
        later(seconds)
        look(withdrawals.PART)
        look(ledger.PART)

    return read


def told() -> list[tuple[str, str]]:
    return list(Alarm.objects.order_by("pk").values_list("kind", "subject"))


def test_what_only_the_ledger_knows_is_told_once(book, both):
    book.booked("SILENT", amount="-0.7")
    both()
    both()
    Alarm.objects.update(acknowledged_at=timezone.now())
    both()
    assert told() == [(Alarm.Kind.LEDGER, "SILENT")]
    assert "0.7 XXBT" in Alarm.objects.get().said


def test_what_the_list_tells_of_is_told_by_that_alone(book, both, connected):
    ours(connected, Step.ACCEPTED, refid="OURS")
    book.left("OURS")
    book.left("FOREIGN")
    both()
    assert told() == [(Alarm.Kind.FOREIGN_WITHDRAWAL, "FOREIGN")]


def test_one_begun_before_the_account_was_connected_and_booked_after_is_no_news(book, both, connection):
    book.listed("OLD", at=connection.connected_at - timedelta(days=2))
    book.booked("OLD")
    both()
    assert told() == []


def test_what_was_booked_before_the_account_was_connected_is_no_news(book, both, connection):
    book.booked("OLD", at=connection.connected_at - timedelta(seconds=5))
    both()
    assert told() == []


def test_nothing_is_judged_that_the_list_was_not_read_up_to(book, look, later):
    look(ledger.PART)
    look(withdrawals.PART)
    book.booked("NEW")
    look(ledger.PART)
    assert told() == []
    book.listed("NEW")
    later(600)
    look(withdrawals.PART)
    look(ledger.PART)
    assert told() == [(Alarm.Kind.FOREIGN_WITHDRAWAL, "NEW")]


def test_one_that_could_be_ours_waits_until_that_is_settled(book, both, connected):
    row = ours(connected, Step.UNKNOWN)
    book.booked("WHOSE", amount="-1")
    both()
    both(7200)
    assert told() == []
    Withdrawal.objects.filter(pk=row.pk).update(step=Step.RELEASED)
    both()
    assert told() == [(Alarm.Kind.LEDGER, "WHOSE")]


def test_a_failed_one_that_came_back_is_told_once(book, both):
    book.booked("BACK", amount="-1")
    book.booked("BACK", amount="1")
    both()
    assert told() == [(Alarm.Kind.LEDGER, "BACK")]


def test_nothing_is_missed_across_pages(book, both, look):
    now = timezone.now()
    for number in range(120):
        book.booked(f"S{number}", at=now - timedelta(seconds=number))
    both()
    look(ledger.PART)
    look(ledger.PART)
    assert {subject for _, subject in told()} == {f"S{number}" for number in range(120)}
    assert len(told()) == 120
    assert Watch.objects.get(part=ledger.PART).page == ""


def test_the_next_look_goes_on_where_it_was_when_the_exchange_is_away(book, both, look, exchange):
    both()
    before = Watch.objects.get(part=ledger.PART).since
    book.booked("SILENT")
    exchange.says = answering(b"")
    with pytest.raises(AnswerLost):
        both()
    assert Watch.objects.get(part=ledger.PART).since == before
    exchange.says = book.say
    both()
    assert told() == [(Alarm.Kind.LEDGER, "SILENT")]
