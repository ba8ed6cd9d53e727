"""What the exchange says of a credential is read again, and one that is stopped starts again by one trial alone."""

import json

import pytest
from django.utils import timezone

from portal.venues.kraken import inspection
from portal.venues.kraken.calling import ask
from portal.venues.kraken.credentials.finding import opened
from portal.venues.kraken.models import Alarm, Credential, Purpose
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent, Stopped
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.connection.exchange import info

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(connected) -> Credential:
    return Credential.objects.get(account=connected, purpose=Purpose.REST)


def tells(exchange, **said):
    exchange.says = answering(json.dumps({"error": [], "result": info("query-funds", **said)}).encode())


def refuses(exchange, error):
    exchange.says = answering(b'{"error":["%s"]}' % error.encode())


def test_what_is_other_than_before_is_told_and_kept(exchange, row):
    tells(exchange)
    assert {change.field for change in inspection.look_again(row.pk).changed} >= {"Permissions", "Allow-list"}
    assert inspection.look_again(row.pk).changed == ()
    tells(exchange, permissions=["query-funds", "withdraw-funds"], ipAllowlist=[""], validUntil="4102444800")
    changed = {change.field: change for change in inspection.look_again(row.pk).changed}
    assert set(changed) == {"Permissions", "Allow-list", "Expires"}
    assert changed["Permissions"].after == "Query Funds, Withdraw"
    assert changed["Permissions"].grows
    assert changed["Allow-list"].grows
    assert not changed["Expires"].grows
    row.refresh_from_db()
    assert row.permissions == ["query-funds", "withdraw-funds"]
    assert row.looked_at is not None


def test_a_narrower_one_gives_no_power(exchange, row):
    tells(exchange, permissions=["query-funds", "query-ledger"], ipAllowlist=[])
    inspection.look_again(row.pk)
    tells(exchange, permissions=["query-funds"], ipAllowlist=["192.0.2.1"])
    assert [change.grows for change in inspection.look_again(row.pk).changed] == [False, False]


def test_one_that_is_refused_stops_and_is_not_asked_again(exchange, row):
    refuses(exchange, "EAPI:Invalid key")
    with pytest.raises(inspection.NotTold, match="EAPI:Invalid key"):
        inspection.look_again(row.pk)
    with pytest.raises(Stopped):
        inspection.look_again(row.pk)
    assert len(exchange.asked) == 1
    assert Alarm.objects.filter(kind=Alarm.Kind.STOPPED, subject=row.public).count() == 1


def test_one_trial_starts_it_again(exchange, row):
    Credential.objects.filter(pk=row.pk).update(stopped_at=timezone.now(), stopped_because="EAPI:Invalid key")
    tells(exchange)
    inspection.try_again(row.pk)
    assert len(exchange.asked) == 1
    row.refresh_from_db()
    assert (row.stopped_at, row.stopped_because) == (None, "")
    assert ask(opened(row), "Balance").errors == ()


def test_one_that_is_refused_again_stays_stopped_since_then_and_says_the_last(exchange, row):
    since = timezone.now()
    Credential.objects.filter(pk=row.pk).update(stopped_at=since, stopped_because="EAPI:Invalid key")
    refuses(exchange, "EGeneral:Temporary lockout")
    with pytest.raises(inspection.NotTold):
        inspection.try_again(row.pk)
    assert len(exchange.asked) == 1
    row.refresh_from_db()
    assert (row.stopped_at, row.stopped_because) == (since, "EGeneral:Temporary lockout")


def test_one_that_is_stopped_anew_during_the_trial_stays_stopped(exchange, row, monkeypatch):
    Credential.objects.filter(pk=row.pk).update(stopped_at=timezone.now(), stopped_because="before")
    tells(exchange)

    def meanwhile(*arguments, **named):
        answer = ask(*arguments, **named)
        Credential.objects.filter(pk=row.pk).update(stopped_at=timezone.now(), stopped_because="meanwhile")
        return answer

    monkeypatch.setattr(inspection, "ask", meanwhile)
    inspection.try_again(row.pk)
    row.refresh_from_db()
    assert row.stopped_because == "meanwhile"


@pytest.mark.parametrize("gone", [{"removed_at": timezone.now(), "sealed_secret": ""}, {"activated_at": None}])
def test_one_that_does_not_count_is_not_asked(exchange, row, gone):
    Credential.objects.filter(pk=row.pk).update(**gone)
    for look in (inspection.look_again, inspection.try_again):
        with pytest.raises(NotSent):
            look(row.pk)
    assert exchange.asked == []


def test_an_answer_of_another_shape_changes_nothing(exchange, row):
    exchange.says = answering(b'{"error":[],"result":{"permissions":["everything"]}}')
    with pytest.raises(AnswerLost):
        inspection.look_again(row.pk)
    row.refresh_from_db()
    assert row.permissions == []
