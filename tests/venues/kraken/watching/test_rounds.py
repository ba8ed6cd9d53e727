"""A round makes one call for each Account, what is most overdue first, and goes on where it was."""

from collections import Counter

import pytest
from django.utils import timezone

from portal.venues.kraken import shares
from portal.venues.kraken.models import Alarm, Connection, Credential, Purpose
from portal.venues.kraken.watch_models import Watch
from portal.venues.kraken.watching import rounds
from tests.venues.conftest import open_account
from tests.venues.kraken.conftest import answering, credential

pytestmark = pytest.mark.django_db


def methods(exchange) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in exchange.asked]


def test_a_round_makes_one_call_for_each_account(book, connection, exchange):
    other = open_account()
    Connection.objects.create(account=other, exchange="Test", connected_at=timezone.now())
    credential(other, Purpose.REST)
    assert rounds.go_round() == 2
    assert methods(exchange) == ["WithdrawStatus", "WithdrawStatus"]


def test_in_time_everything_is_looked_at_and_nothing_more_often_than_it_is_due(book, connection, exchange, later):
    for _ in range(60):
        rounds.go_round()
        later(15)
    counted = Counter(methods(exchange))
    assert set(counted) == {"WithdrawStatus", "Ledgers", "WithdrawAddresses", "GetApiKeyInfo"}
    # Fifteen minutes: every minute, every five, and each of two credentials once.
    assert 11 <= counted["WithdrawStatus"] <= 16
    assert 2 <= counted["Ledgers"] <= 4
    assert 3 <= counted["WithdrawAddresses"] <= 4
    assert counted["GetApiKeyInfo"] == 2


def test_an_account_that_was_disconnected_is_left_alone(book, connection, exchange):
    Connection.objects.update(disconnected_at=timezone.now())
    assert rounds.go_round() == 0
    assert exchange.asked == []


def test_without_the_exchange_nothing_is_raised_and_the_next_round_goes_on(book, connection, exchange, later):
    book.left("FOREIGN")
    exchange.says = answering(b"<html>502</html>", status=502)
    for _ in range(8):
        rounds.go_round()
        later(15)
    assert not Alarm.objects.exists()
    assert "none of its answers" in Watch.objects.get(part="withdrawals").trouble
    exchange.says = book.say
    for _ in range(8):
        rounds.go_round()
        later(15)
    assert [alarm.subject for alarm in Alarm.objects.all()] == ["FOREIGN"]
    assert Watch.objects.get(part="withdrawals").trouble == ""


def test_a_shape_that_nobody_knows_stops_no_other_look(book, connection, exchange, later):
    exchange.says = answering(b'{"error":[],"result":7}')
    for _ in range(8):
        rounds.go_round()
        later(15)
    assert set(methods(exchange)) >= {"WithdrawStatus", "WithdrawAddresses", "GetApiKeyInfo"}
    assert Watch.objects.get(part="withdrawals").trouble == rounds.OTHER_SHAPE


def test_pages_that_are_left_are_read_in_the_next_rounds(book, connection, later):
    book.page_size = 1
    for number in range(3):
        book.left(f"F{number}")
    for _ in range(12):
        rounds.go_round()
        later(15)
    assert Alarm.objects.filter(kind=Alarm.Kind.FOREIGN_WITHDRAWAL).count() == 3


def test_the_watcher_keeps_within_the_portals_share(book, connection, exchange, later):
    while shares.take(connection.account_id, shares.PORTAL, "Ledgers"):
        pass
    assert rounds.go_round() == 0
    assert exchange.asked == []
    later(600)
    assert rounds.go_round() == 1


def test_a_stopped_credential_is_not_asked_about(book, connection, exchange, later):
    Credential.objects.update(stopped_at=timezone.now())
    for _ in range(8):
        rounds.go_round()
        later(15)
    assert exchange.asked == []


def test_a_restart_raises_nothing_twice(book, connection, later):
    """All that the watcher knows stands in the database."""
    book.left("FOREIGN")
    for _ in range(20):
        rounds.go_round()
        later(60)
        Alarm.objects.update(acknowledged_at=timezone.now())
    assert Alarm.objects.count() == 1


def test_each_credential_is_asked_only_for_what_it_may(book, connection, exchange, later):
    """What is denied to the one that withdraws would stop it."""
    keys = {purpose: Credential.objects.get(purpose=purpose) for purpose in Purpose}
    asked: dict[str, set[Purpose]] = {}
    for _ in range(8):
        before = {purpose: row.nonce for purpose, row in keys.items()}
        count = len(exchange.asked)
        rounds.go_round()
        later(15)
        for purpose, row in keys.items():
            row.refresh_from_db()
            if row.nonce != before[purpose] and len(exchange.asked) > count:
                asked.setdefault(methods(exchange)[-1], set()).add(purpose)
    assert asked["Ledgers"] == {Purpose.REST}
    assert asked["WithdrawStatus"] == asked["WithdrawAddresses"] == {Purpose.WITHDRAW}
    assert asked["GetApiKeyInfo"] == set(Purpose)
