"""What the exchange lists of its own book: read whatever its shape, kept for when it says nothing, and compared."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from portal.venues.kraken.addresses import drift, listing
from portal.venues.kraken.models import Alarm, Credential, Purpose, Snapshot
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.registry import venue
from portal.venues.types import Destination
from tests.venues.conftest import together
from tests.venues.kraken.conftest import answering

ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
OTHER = "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"
COLD = {"address": ADDRESS, "asset": "XBT", "method": "Bitcoin", "key": "btc-cold", "verified": True}
TARGET = Destination("btc-cold", ADDRESS, "Bitcoin", "Bitcoin")


def lists(exchange, *rows) -> None:
    exchange.says = answering(json.dumps({"error": [], "result": list(rows)}).encode())


def read(exchange, account, *rows):
    lists(exchange, *rows)
    return listing.ask(account.pk)


@pytest.mark.django_db
def test_the_list_is_asked_with_the_credential_that_withdraws_and_kept(exchange, connected):
    said = read(exchange, connected, {**COLD, "new": "field"})
    assert [(row.key, row.address, row.is_verified) for row in said.rows] == [("btc-cold", ADDRESS, True)]
    ((path, _),) = exchange.asked
    assert path == "/0/private/WithdrawAddresses"
    assert Credential.objects.get(nonce__gt=0).purpose == Purpose.WITHDRAW
    assert venue("kraken").listed_addresses([connected.pk])[connected.pk].rows == said.rows


@pytest.mark.django_db
def test_without_one_that_withdraws_the_rest_is_asked(exchange, connected):
    Credential.objects.filter(purpose=Purpose.WITHDRAW).update(stopped_at=timezone.now())
    assert read(exchange, connected, COLD).trouble == ""
    assert Credential.objects.get(nonce__gt=0).purpose == Purpose.REST


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b'{"error":[],"result":{"addresses":[]}}',
        b'{"error":[],"result":["btc-cold"]}',
        b'{"error":[],"result":[{"key":"btc-cold"}]}',
        b'{"error":[],"result":[{"key":7.5,"address":"x","asset":"XBT","method":"Bitcoin"}]}',
        b'{"error":["EService:Unavailable"]}',
    ],
)
def test_what_was_said_stays_when_nothing_readable_comes(body, exchange, connected):
    before = read(exchange, connected, COLD)
    exchange.says = answering(body)
    after = listing.ask(connected.pk)
    assert (after.rows, after.read_at) == (before.rows, before.read_at)
    assert after.trouble
    assert "<" not in after.trouble
    assert read(exchange, connected, COLD).trouble == ""


@pytest.mark.django_db
def test_nothing_is_against_an_address_while_nothing_was_ever_read(exchange, connected):
    exchange.says = answering(b"nothing")
    assert listing.ask(connected.pk).read_at is None
    assert venue("kraken").destination_trouble(connected.pk, TARGET) == ""
    assert drift.watch(connected.pk, [TARGET]) == 0


@pytest.mark.django_db
def test_a_later_answer_is_not_overwritten_by_an_earlier_one(exchange, connected):
    late = timezone.now() + timedelta(seconds=5)
    listing._keep(connected.pk, late, json.dumps([COLD]), "")
    said = read(exchange, connected)
    assert [row.key for row in said.rows] == ["btc-cold"]
    assert Snapshot.objects.get().read_at == late


def test_a_memo_may_be_called_a_tag():
    (row,) = listing.read([{**COLD, "tag": "12"}])
    assert row.memo == "12"
    with pytest.raises(AnswerLost):
        listing.read([{**COLD, "key": "k" * 201}])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "said"),
    [
        (COLD, ""),
        ({**COLD, "address": OTHER}, f"leads to {OTHER}"),
        ({**COLD, "method": "Bitcoin Lightning"}, "goes by Bitcoin Lightning"),
        ({**COLD, "memo": "7"}, "has the memo 7"),
        ({**COLD, "verified": False}, "has not verified"),
        ({**COLD, "key": "btc-warm"}, "lists no address called btc-cold"),
    ],
)
def test_what_is_wrong_with_a_destination(row, said, exchange, connected):
    read(exchange, connected, row)
    trouble = venue("kraken").destination_trouble(connected.pk, TARGET)
    assert (said in trouble) if said else trouble == ""


@pytest.mark.django_db
def test_one_name_for_two_assets_is_trouble_for_neither(exchange, connected):
    read(exchange, connected, {**COLD, "asset": "SOL", "address": "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"}, COLD)
    assert venue("kraken").destination_trouble(connected.pk, TARGET) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [[{**COLD, "address": OTHER}], [{**COLD, "verified": False}], []])
def test_drift_raises_one_alarm_and_coming_back_lifts_it(changed, exchange, connected):
    read(exchange, connected, COLD)
    assert drift.watch(connected.pk, [TARGET]) == 0
    read(exchange, connected, *changed)
    assert [drift.watch(connected.pk, [TARGET]) for _ in range(3)] == [1, 0, 0]
    alarm = Alarm.objects.get()
    assert alarm.kind == Alarm.Kind.ADDRESS_DRIFT
    assert "btc-cold" in alarm.said
    Alarm.objects.update(acknowledged_at=timezone.now())
    assert drift.watch(connected.pk, [TARGET]) == 0
    read(exchange, connected, COLD)
    assert drift.watch(connected.pk, [TARGET]) == 0
    assert venue("kraken").destination_trouble(connected.pk, TARGET) == ""
    read(exchange, connected, *changed)
    assert drift.watch(connected.pk, [TARGET]) == 1


@pytest.mark.django_db
def test_other_drift_of_the_same_address_is_told_too(exchange, connected):
    read(exchange, connected, COLD)
    drift.watch(connected.pk, [TARGET])
    read(exchange, connected)
    assert drift.watch(connected.pk, [TARGET]) == 1
    read(exchange, connected, {**COLD, "address": OTHER})
    assert drift.watch(connected.pk, [TARGET]) == 1


@pytest.mark.django_db
def test_an_address_that_waits_to_be_added_there_is_no_news(exchange, connected):
    read(exchange, connected)
    assert drift.watch(connected.pk, [TARGET]) == 0
    read(exchange, connected, {**COLD, "verified": False})
    assert drift.watch(connected.pk, [TARGET]) == 1


@pytest.mark.django_db
def test_a_name_that_leads_elsewhere_is_news_at_once(exchange, connected):
    read(exchange, connected, {**COLD, "address": OTHER})
    assert drift.watch(connected.pk, [TARGET]) == 1


@pytest.mark.django_db
def test_nobody_waits_for_the_exchange_in_a_transaction(connected, exchange):
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        listing.ask(connected.pk)
    assert exchange.asked == []


@pytest.mark.django_db(transaction=True)
def test_two_who_compare_at_once_raise_one_alarm(exchange, connected):
    read(exchange, connected, COLD)
    drift.watch(connected.pk, [TARGET])
    read(exchange, connected)
    results = together(
        lambda: drift.watch(connected.pk, [TARGET]),
        lambda: drift.watch(connected.pk, [TARGET]),
    )
    assert sorted(map(str, results)) == ["0", "1"]
    assert Alarm.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_that_keep_at_once_the_later_question_counts(connected):
    now = timezone.now()
    for _ in range(5):
        Snapshot.objects.all().delete()
        together(
            lambda: listing._keep(connected.pk, now, json.dumps([COLD]), ""),
            lambda: listing._keep(connected.pk, now + timedelta(seconds=1), json.dumps([]), ""),
        )
        assert listing.last_said([connected.pk])[connected.pk].rows == ()
        listing._keep(connected.pk, now + timedelta(seconds=2), "", "Away.")
        said = listing.last_said([connected.pk])[connected.pk]
        assert (said.rows, said.trouble) == ((), "Away.")
