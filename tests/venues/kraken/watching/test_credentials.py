"""What was changed of a credential at the exchange, and when it expires, is told of: each once."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.venues.kraken import inspection
from portal.venues.kraken.models import Alarm, Credential, Purpose
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.kraken.watching import credentials
from tests.venues.conftest import together
from tests.venues.kraken.conftest import answering

pytestmark = pytest.mark.django_db
INFO = {
    "permissions": ["withdraw-funds"], "ipAllowlist": ["203.0.113.7"], "validUntil": "0", "queryFrom": "0",
    "queryTo": "0", "nonce": "1", "nonceWindow": 0, "iban": "AA88 N84G",
}  # fmt: skip


def says(exchange, **other) -> None:
    exchange.says = answering(json.dumps({"error": [], "result": {**INFO, **other}}).encode())


@pytest.fixture
def row(exchange, connected) -> Credential:
    """The one that withdraws, as it was when it was agreed to."""
    found = Credential.objects.get(account=connected, purpose=Purpose.WITHDRAW)
    says(exchange)
    inspection.look_again(found.pk)
    assert not Alarm.objects.exists()
    return Credential.objects.select_related("account").get(pk=found.pk)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"permissions": ["withdraw-funds", "add-funds"]}, "Permissions: Withdraw → Deposit, Withdraw"),
        ({"ipAllowlist": []}, "Allow-list: 203.0.113.7 → any address"),
        ({"validUntil": "1893456000"}, "Expires: never → 1 Jan 2030, 00:00"),
        ({"nonceWindow": 5}, "Nonce window: 0 → 5"),
    ],
)
def test_what_was_changed_is_said_before_and_after_and_kept(other, said, row, exchange):
    says(exchange, **other)
    credentials.look(row)
    credentials.look(row)
    alarm = Alarm.objects.get(kind=Alarm.Kind.CREDENTIAL_CHANGED)
    assert said in alarm.said
    assert row.label in alarm.said
    assert inspection.look_again(row.pk).changed == ()


def test_a_second_change_is_told_though_the_first_is_open(row, exchange):
    says(exchange, ipAllowlist=[])
    credentials.look(row)
    says(exchange, ipAllowlist=[], nonceWindow=9)
    credentials.look(row)
    assert Alarm.objects.filter(kind=Alarm.Kind.CREDENTIAL_CHANGED).count() == 2


def test_a_look_that_fails_changes_nothing_and_raises_nothing(row, exchange):
    exchange.says = answering(b"<html>520</html>", status=520)
    with pytest.raises(AnswerLost):
        credentials.look(row)
    assert not Alarm.objects.exists()
    row.refresh_from_db()
    assert row.ip_allowlist == ["203.0.113.7"]


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_once_tell_of_a_change_once(row, exchange):
    says(exchange, ipAllowlist=[])
    together(lambda: inspection.look_again(row.pk), lambda: inspection.look_again(row.pk))
    assert Alarm.objects.filter(kind=Alarm.Kind.CREDENTIAL_CHANGED).count() == 1


def test_its_end_is_told_thirty_seven_and_one_days_before_each_once(row, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    row.expires_at = now + timedelta(days=40)
    told = []
    for days in range(42):
        time_machine.move_to(now + timedelta(days=days, seconds=1), tick=False)
        told += [40 - days for _ in range(2) if credentials.tell_of_its_end(row)]
        Alarm.objects.update(acknowledged_at=timezone.now())
    assert told == [30, 7, 1, 0]
    assert "has expired" in Alarm.objects.latest("pk").said


def test_another_end_is_told_anew(row):
    row.expires_at = timezone.now() + timedelta(days=5)
    assert credentials.tell_of_its_end(row)
    row.expires_at += timedelta(hours=1)
    assert credentials.tell_of_its_end(row)


def test_one_without_an_end_is_not_told_of(row):
    assert not credentials.tell_of_its_end(row)
