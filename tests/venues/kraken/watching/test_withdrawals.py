"""A withdrawal at the exchange that nothing here asked for is told of once, whatever happens on the way to it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.venues.kraken.models import Alarm, Connection, Credential, Purpose, SeenWithdrawal
from portal.venues.kraken.reading.shapes import OtherShape
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.kraken.watch_models import Watch
from portal.venues.kraken.watching import withdrawals
from portal.venues.kraken.watching.calls import NotAnswered
from portal.venues.kraken.withdrawal_rows import Step, Withdrawal
from tests.venues.conftest import together
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.watching.conftest import ADDRESS, ours

pytestmark = pytest.mark.django_db
PART = withdrawals.PART


def told() -> list[str]:
    return list(
        Alarm.objects.filter(kind=Alarm.Kind.FOREIGN_WITHDRAWAL).order_by("pk").values_list("subject", flat=True)
    )


def test_one_that_nothing_here_asked_for_is_said_in_full(book, look):
    book.left("FOREIGN", amount="0.5")
    look(PART)
    alarm = Alarm.objects.get()
    assert alarm.kind == Alarm.Kind.FOREIGN_WITHDRAWAL
    for part in ("0.5 XXBT", "0.0001", "cold", ADDRESS, "UTC", "Success", "FOREIGN"):
        assert part in alarm.said, part


def test_one_to_an_invoice_longer_than_any_address_is_told_of_as_well(book, look):
    """Whoever takes money out must not choose a way out that nobody is told of."""
    book.left("FOREIGN", info="lnbc" + "x" * 900)
    look(PART)
    assert told() == ["FOREIGN"]


def test_it_is_told_of_once_even_after_it_was_acknowledged(book, look):
    book.left("FOREIGN")
    for _ in range(3):
        look(PART)
        Alarm.objects.update(acknowledged_at=timezone.now())
    assert told() == ["FOREIGN"]


def test_what_was_asked_for_here_is_no_news(book, look, connected):
    ours(connected, Step.ACCEPTED, refid="OURS")
    book.left("OURS")
    look(PART)
    assert told() == []


def test_what_was_begun_before_the_account_was_connected_is_no_news(book, look, connection):
    book.left("OLD", at=connection.connected_at - timedelta(seconds=2))
    book.left("NEW", at=connection.connected_at)
    look(PART)
    assert told() == ["NEW"]
    assert set(SeenWithdrawal.objects.values_list("refid", flat=True)) == {"OLD", "NEW"}


@pytest.mark.parametrize("step", [Step.SENDING, Step.LOST, Step.UNKNOWN])
@pytest.mark.parametrize("amount", ["1", "0.9999"])
def test_one_that_could_be_ours_waits_until_that_is_settled(step, amount, book, look, connected, later):
    row = ours(connected, step)
    book.left("WHOSE", amount=amount)
    look(PART)
    assert told() == []
    # Much else happens meanwhile: it is not forgotten behind that.
    later(7200)
    row.refresh_from_db()
    book.left("OTHER", key="warm")
    look(PART)
    look(PART)
    assert told() == ["OTHER"]
    Withdrawal.objects.filter(pk=row.pk).update(step=Step.RELEASED)
    look(PART)
    assert told() == ["OTHER", "WHOSE"]


def test_one_without_a_name_is_ours_by_its_address(book, look, connected):
    ours(connected, Step.LOST)
    book.left("WHOSE", key="")
    book.left("FOREIGN", key="", info="bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh")
    look(PART)
    assert told() == ["FOREIGN"]


def test_one_that_was_adopted_meanwhile_is_no_news(book, look, connected):
    row = ours(connected, Step.LOST)
    book.left("WHOSE")
    look(PART)
    Withdrawal.objects.filter(pk=row.pk).update(step=Step.ACCEPTED, refid="WHOSE")
    look(PART)
    assert told() == []


@pytest.mark.parametrize(
    "other", [{"key": "warm"}, {"amount": "2"}, {"at": timedelta(minutes=-3)}, {"key": "cold", "amount": "1.1"}]
)
def test_one_that_cannot_be_ours_is_told_of_though_ours_is_looked_for(other, book, look, connected):
    ours(connected, Step.LOST)
    at = timezone.now() + other["at"] if "at" in other else None
    book.left("FOREIGN", **{**other, "at": at})
    look(PART)
    assert told() == ["FOREIGN"]


def test_nothing_is_missed_across_pages_nor_told_twice(book, look):
    now = timezone.now()
    book.page_size = 3
    for number in range(8):
        book.left(f"F{number}", at=now - timedelta(minutes=number))
    look(PART)
    assert told() == ["F0", "F1", "F2"]
    # What begins while pages are read stands before them, and is there in the next walk.
    book.left("LATE", at=now + timedelta(seconds=1))
    for _ in range(4):
        look(PART)
    assert sorted(told()) == sorted([*(f"F{number}" for number in range(8)), "LATE"])
    assert len(told()) == 9


def test_a_walk_goes_on_where_it_was_when_the_exchange_is_away(book, look, exchange):
    now = timezone.now()
    book.page_size = 2
    for number in range(4):
        book.left(f"F{number}", at=now - timedelta(minutes=number))
    look(PART)
    before = Watch.objects.get()
    exchange.says = answering(b"<html>502</html>", status=502)
    with pytest.raises(AnswerLost):
        look(PART)
    after = Watch.objects.get()
    assert (after.page, after.since, after.until) == (before.page, before.since, before.until)
    exchange.says = book.say
    look(PART)
    assert told() == ["F0", "F1", "F2", "F3"]


def test_a_place_that_the_exchange_has_forgotten_begins_the_walk_anew(book, look):
    book.page_size = 1
    for number in range(3):
        book.left(f"F{number}", at=timezone.now() - timedelta(minutes=number))
    look(PART)
    book.error = "EGeneral:Invalid arguments:cursor"
    with pytest.raises(NotAnswered):
        look(PART)
    book.error = ""
    for _ in range(3):
        look(PART)
    assert told() == ["F0", "F1", "F2"]


def test_a_list_that_leads_back_to_itself_ends(book, look, exchange):
    book.left("FOREIGN")
    row = book.withdrawals[0]
    body = json.dumps({"error": [], "result": {"withdrawals": [row], "next_cursor": "again"}}).encode()
    exchange.says = answering(body)
    look(PART)
    look(PART)
    assert Watch.objects.get().page == ""
    assert told() == ["FOREIGN"]


@pytest.mark.parametrize(
    "result",
    [b"7", b'{"rows":[]}', b'[{"refid":"R"}]', b'{"withdrawals":[{"refid":7}]}', b'{"withdrawals":[],"next_cursor":7}'],
)
def test_another_shape_judges_nothing(result, look, exchange, connection):
    exchange.says = answering(b'{"error":[],"result":' + result + b"}")
    with pytest.raises(OtherShape):
        look(PART)
    assert told() == []


def test_an_exchange_that_knows_no_pages_is_read_too(book, look, exchange):
    book.left("FOREIGN")
    exchange.says = answering(json.dumps({"error": [], "result": book.withdrawals}).encode())
    look(PART)
    assert told() == ["FOREIGN"]


def test_the_credential_that_withdraws_looks_and_the_rest_where_it_is_stopped(book, look, connection):
    look(PART)
    assert Credential.objects.get(nonce__gt=0).purpose == Purpose.WITHDRAW
    Credential.objects.filter(purpose=Purpose.WITHDRAW).update(stopped_at=timezone.now())
    book.left("FOREIGN")
    look(PART)
    assert told() == ["FOREIGN"]


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_once_tell_of_it_once(book, connection):
    book.left("FOREIGN")
    watch = Watch.objects.create(account_id=connection.account_id, part=PART)

    def look():
        withdrawals.look(Connection.objects.select_related("account").get(), Watch.objects.get(pk=watch.pk))

    assert together(look, look) == [None, None]
    assert told() == ["FOREIGN"]
