"""Looking for what was lost: what keeps the lost call off, how often it is looked for, and what of it is kept."""

import json
from datetime import timedelta

import pytest
import time_machine as travel
from django.utils import timezone

from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import Credential, Look, Purpose, Step
from portal.venues.kraken.withdrawals import fence, tending
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.withdrawals.rows import lost

pytestmark = pytest.mark.django_db
NOTHING = answering(b'{"error":[],"result":[]}')


def test_a_window_of_nonces_fences_nothing_off(connected, exchange):
    """The lost call may still be accepted under its lower nonce: that it is not listed says nothing yet."""
    Credential.objects.filter(purpose=Purpose.WITHDRAW).update(nonce_window=10**10)
    exchange.says = NOTHING
    row = lost(connected)
    tending.tend_account(connected.pk)
    row.refresh_from_db()
    assert (row.step, row.looks) == (Step.LOST, 0)
    assert row.look_at is not None
    assert row.look_at < timezone.now() + timedelta(seconds=30)


def test_what_the_exchange_said_not_to_have_done_needs_no_fence(connected, exchange):
    Credential.objects.filter(purpose=Purpose.WITHDRAW).update(nonce_window=10**10)
    exchange.says = NOTHING
    row = lost(connected, is_not_done=True, trouble="EAPI:Rate limit exceeded")
    tending.tend_account(connected.pk)
    row.refresh_from_db()
    assert row.step == Step.REFUSED


def test_what_nobody_can_look_for_is_noted_less_and_less(connected):
    """A credential that is stopped or gone for good: the notes about it do not grow without end."""
    Credential.objects.filter(purpose=Purpose.WITHDRAW).update(stopped_at=timezone.now())
    row = lost(connected)
    began = now = timezone.now()
    with travel.travel(now, tick=False) as clock:
        while now < began + timedelta(days=3):
            clock.move_to(now)
            tending.tend_account(connected.pk)
            row.refresh_from_db()
            assert row.look_at is not None
            now = max(row.look_at, now + timedelta(seconds=1))
    assert row.step == Step.UNKNOWN
    assert 50 < Look.objects.count() < 200


def test_of_a_look_as_much_is_kept_as_people_read(connected, exchange):
    rows = [
        {"refid": f"R{number}", "asset": "XXBT", "key": "btc-cold", "amount": "1.25", "fee": "0", "info": "x" * 9_000,
         "time": int(timezone.now().timestamp())} for number in range(600)
    ]  # fmt: skip
    exchange.says = answering(json.dumps({"error": [], "result": rows}).encode())
    row = lost(connected)
    tending.tend_account(connected.pk)
    row.refresh_from_db()
    look = row.looked_for.get()
    assert row.step == Step.UNKNOWN
    assert (len(look.listed), len(look.found)) == (fence.SHOWN, fence.SHOWN)
    assert len(json.dumps(look.listed)) < 50_000


def test_a_page_of_the_exchange_without_end_is_not_read(connected, exchange, monkeypatch):
    monkeypatch.setattr(fence, "MOST_ROWS", 10)
    body = {"error": [], "result": [{"refid": str(number)} for number in range(11)]}
    exchange.says = answering(json.dumps(body).encode())
    row = lost(connected)
    with pytest.raises(fence.NotHeard):
        fence.every_row(finding.for_withdrawals(connected.pk), fence.since(row))
