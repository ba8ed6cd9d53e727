"""A call under a credential: signed as the protocol says, under a nonce of its own, stopped where it is refused."""

from base64 import b64encode

import pytest
from django.db import transaction
from django.utils import timezone

from portal.core.secrets.request_signature import compute
from portal.venues.kraken import calling
from portal.venues.kraken.credentials import finding, nonces
from portal.venues.kraken.models import Alarm, Credential, Purpose
from portal.venues.kraken.upstream.outcomes import NotSent, Stopped
from tests.venues.conftest import together
from tests.venues.kraken.conftest import SECRET, answering, credential


def test_a_call_is_signed_by_the_credential(connected, exchange):
    heard = {}

    def say(handler):
        heard.update(handler.headers)
        answering(b'{"error":[],"result":true}')(handler)

    exchange.says = say
    usable = finding.for_rest(connected.pk)
    assert calling.ask(usable, "Earn/Allocate", {"strategy_id": "ES A", "amount": "1.10"}).decoded() is True
    path, fields = exchange.asked[0]
    assert (path, fields["strategy_id"], fields["amount"]) == ("/0/private/Earn/Allocate", "ES A", "1.10")
    body, _ = calling.encoded({"nonce": fields["nonce"], "strategy_id": "ES A", "amount": "1.10"})
    expected = compute(finding.keyed(SECRET), path=path, nonce=fields["nonce"], body=body)
    assert heard["API-Sign"] == b64encode(expected).decode()
    assert heard["API-Key"] == usable.public
    assert SECRET not in repr(usable)


@pytest.mark.django_db(transaction=True)
def test_nonces_come_from_one_place(connected):
    """Eight threads take theirs at once: each gets another, and each gets one above all it saw before."""
    row = Credential.objects.get(account=connected, purpose=Purpose.REST)

    def take() -> list[int]:
        return [nonces.take(row.pk) or 0 for _ in range(10)]

    taken = together(*[take] * 8)
    numbers = [number for each in taken for number in each]  # type: ignore[attr-defined]
    assert len(set(numbers)) == 80
    assert all(sorted(each) == each for each in taken)  # type: ignore[call-overload]
    row.refresh_from_db()
    assert row.nonce == max(numbers)


@pytest.mark.django_db
def test_a_nonce_ahead_of_the_clock_goes_on_from_there(connected):
    row = Credential.objects.get(account=connected, purpose=Purpose.REST)
    Credential.objects.filter(pk=row.pk).update(nonce=2**62)
    assert nonces.take(row.pk) == 2**62 + 1


@pytest.mark.django_db(transaction=True)
def test_without_a_window_one_call_is_under_way_at_a_time(connected, exchange):
    inside, most = [], []

    def say(handler):
        inside.append(1)
        most.append(len(inside))
        answering(b'{"error":[],"result":{}}')(handler)
        inside.pop()

    exchange.says = say
    usable = finding.for_withdrawals(connected.pk)
    together(*[lambda: calling.ask(usable, "WithdrawStatus")] * 6)
    assert most == [1] * 6
    assert exchange.nonces() == sorted(exchange.nonces())


@pytest.mark.django_db
@pytest.mark.parametrize("error", ["EAPI:Invalid key", "EGeneral:Temporary lockout", "EAccount:Account disabled"])
def test_a_refused_credential_is_stopped_at_once(connected, exchange, error):
    exchange.says = answering(f'{{"error":["{error}"]}}'.encode())
    usable = finding.for_rest(connected.pk)
    calling.ask(usable, "Balance")
    with pytest.raises(Stopped):
        calling.ask(usable, "Balance")
    with pytest.raises(Stopped):
        finding.for_rest(connected.pk)
    assert len(exchange.asked) == 1
    alarm = Alarm.objects.get()
    assert alarm.kind == Alarm.Kind.STOPPED
    assert error in alarm.said
    # The other one goes on.
    assert finding.for_withdrawals(connected.pk).purpose == Purpose.WITHDRAW


@pytest.mark.django_db
def test_what_the_rest_may_not_do_stops_nothing(connected, exchange):
    """A bot that asks for Earn, which the credential was not given, would else stop every other bot."""
    exchange.says = answering(b'{"error":["EGeneral:Permission denied"]}')
    calling.ask(finding.for_rest(connected.pk), "Earn/Allocate")
    assert not Credential.objects.filter(stopped_at__isnull=False).exists()
    calling.ask(finding.for_withdrawals(connected.pk), "WithdrawStatus")
    assert Credential.objects.get(stopped_at__isnull=False).purpose == Purpose.WITHDRAW


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_an_exchange_inside_of_a_transaction(connected, exchange):
    usable = finding.for_rest(connected.pk)
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        calling.ask(usable, "Balance")
    assert exchange.asked == []


@pytest.mark.django_db
def test_the_credential_that_may_is_taken(connected):
    able = credential(connected, Purpose.REST, permissions=["earn-funds"], nonce_window=5)
    assert finding.for_rest(connected.pk, "earn-funds").id == able.pk
    assert finding.for_rest(connected.pk, "nothing-known").id != able.pk
    Credential.objects.filter(pk=able.pk).update(stopped_at=timezone.now())
    assert finding.for_rest(connected.pk, "earn-funds").id != able.pk


@pytest.mark.django_db
def test_an_account_without_credentials_calls_nobody(connected, settings):
    usable = Credential.objects.filter(account=connected)
    settings.EXCHANGES = []
    with pytest.raises(NotSent, match="operator"):
        finding.for_rest(connected.pk)
    usable.update(removed_at=timezone.now(), sealed_secret="")
    with pytest.raises(NotSent, match="not connected"):
        finding.for_rest(connected.pk)
    with pytest.raises(NotSent, match="no credential"):
        finding.for_withdrawals(connected.pk)
