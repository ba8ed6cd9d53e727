"""What is to be done is found by what is still to be done, however many withdrawals there have been."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from portal.venues.kraken.models import Connection, Credential, Purpose, Step, Withdrawal
from portal.venues.kraken.withdrawals import finding
from tests.database import plans
from tests.venues.conftest import open_account
from tests.venues.kraken.conftest import credential

pytestmark = pytest.mark.django_db
DONE = 3000


@pytest.fixture
def account(db) -> Account:
    account: Account = open_account()
    Connection.objects.create(account=account, exchange="Test", connected_at=timezone.now())
    credential(account, Purpose.WITHDRAW)
    return account


def rows(account, step, count=1, **given) -> list[Withdrawal]:
    at, by = timezone.now() - timedelta(hours=1), Credential.objects.get(account=account)
    made = [
        Withdrawal(
            account=account, reference=f"{step}-{number}", asset="XXBT", decimals=10, amount_units=100, max_fee_units=1,
            fee_units=1, key="btc-cold", address="bc1q", method="Bitcoin", network="Bitcoin", held_at=at, step=step,
            intended_at=at, credential=by, nonce=1, sent_at=at, attempts=1,
            refid=f"R{number}" if step == Step.ACCEPTED else None, **given,
        )
        for number in range(count)
    ]  # fmt: skip
    return Withdrawal.objects.bulk_create(made)


def test_each_step_is_due_in_its_time(account):
    now = timezone.now()
    past, later = now - timedelta(seconds=1), now + timedelta(minutes=1)
    due = [
        *rows(account, Step.INTENDED),
        *rows(account, Step.SENDING),
        *rows(account, Step.LOST, look_at=past),
        *rows(account, Step.UNKNOWN, look_at=past),
        *rows(account, Step.ACCEPTED, look_at=past),
    ]
    for step in (Step.HELD, Step.REFUSED, Step.RELEASED):
        rows(account, step, look_at=past)
    assert [pk for pk, _ in finding.due(now)] == [row.pk for row in due]
    Withdrawal.objects.update(look_at=later)
    assert [Withdrawal.objects.get(pk=pk).step for pk, _ in finding.due(now)] == [Step.SENDING]
    Withdrawal.objects.filter(step__in=[Step.LOST, Step.UNKNOWN, Step.ACCEPTED]).update(look_at=None)
    assert [Withdrawal.objects.get(pk=pk).step for pk, _ in finding.due(now)] == [Step.SENDING]


@pytest.mark.postgresql
def test_what_is_done_is_not_looked_at(account):
    now = timezone.now()
    rows(account, Step.ACCEPTED, DONE)
    rows(account, Step.INTENDED, 3)
    rows(account, Step.LOST, 2, look_at=now)
    plans.analyze("kraken_withdrawal")
    assert connection.vendor == "postgresql"
    read, sql = plans.most_read(plans.readings(lambda: finding.due(now)), "kraken_withdrawal")
    assert read <= 10, sql
