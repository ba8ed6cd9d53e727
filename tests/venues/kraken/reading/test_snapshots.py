"""What was read is kept, not asked again at once, and told when the exchange says nothing: with since when, and why."""

import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from portal.core.errors import Unavailable
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import Connection, Credential, Purpose, Snapshot
from portal.venues.kraken.reading import snapshots
from portal.venues.registry import venue
from portal.venues.types import LedgerQuery, Part
from tests.venues.conftest import together
from tests.venues.kraken.conftest import answering

HERE = venue("kraken")
BALANCE = {"XXBT": {"balance": "1.5", "hold_trade": "0.5"}}
OTHER = {"XXBT": {"balance": "2.5", "hold_trade": "0"}}


@pytest.fixture
def clock(time_machine):
    """The time stands still; `clock(seconds)` lets so many pass."""
    begins = timezone.now()
    passed = [0.0]

    def later(seconds: float) -> None:
        passed[0] += seconds
        time_machine.move_to(begins + timedelta(seconds=passed[0]), tick=False)

    time_machine.move_to(begins, tick=False)
    return later


def units(account) -> int:
    return HERE.balances(account.pk)[0].units


def test_what_was_just_read_is_not_asked_again(says, account, clock):
    says.say(BalanceEx=BALANCE)
    assert units(account) == 15 * 10**9
    says.say(BalanceEx=OTHER)
    clock(1.9)
    assert units(account) == 15 * 10**9
    assert len(says.asked("BalanceEx")) == 1
    clock(0.2)
    assert units(account) == 25 * 10**9
    assert Snapshot.objects.filter(account=account).count() == 1


def test_without_the_exchange_the_last_known_is_told_and_said(says, account, clock):
    says.say(BalanceEx=BALANCE)
    units(account)
    read_at = timezone.now()
    says.refuse(BalanceEx="EService:Unavailable")
    clock(60)
    assert units(account) == 15 * 10**9
    told = HERE.as_of(account.pk, Part.BALANCES)
    assert (told.at, told.trouble) == (read_at, "The exchange answered: EService:Unavailable.")
    says.say(BalanceEx=OTHER)
    clock(1)
    # It is not asked at once what it could not say just now.
    assert units(account) == 15 * 10**9
    clock(5)
    assert units(account) == 25 * 10**9
    assert HERE.as_of(account.pk, Part.BALANCES).trouble == ""


def test_what_was_never_read_is_said_in_words(says, account):
    says.refuse(BalanceEx="EGeneral:Permission denied")
    with pytest.raises(Unavailable, match="EGeneral:Permission denied"):
        HERE.balances(account.pk)
    assert HERE.as_of(account.pk, Part.BALANCES).at is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html><h1>502</h1></html>",
        b'{"error":[],"result":{"XXBT":',
        b'{"error":[],"result":null}',
        b'{"error":[],"result":["XXBT"]}',
        b'{"error":[],"result":{"XXBT":{"balance":true}}}',
        b'{"error":[],"result":{"XXBT":{"balance":"1e999999999"}}}',
        b'{"error":[],"result":{"XXBT":{"balance":"NaN"}}}',
        b'{"error":[],"result":{"XXBT":{"hold_trade":"1"}}}',
        b'{"error":[]}',
        b"",
    ],
)
def test_an_answer_of_another_shape_takes_nothing_away(says, account, clock, body):
    says.say(BalanceEx=BALANCE)
    units(account)
    says.body("BalanceEx", body)
    clock(60)
    assert units(account) == 15 * 10**9
    assert HERE.as_of(account.pk, Part.BALANCES).trouble


def test_a_stopped_credential_is_not_used_for_looking(says, account, clock):
    says.say(BalanceEx=BALANCE)
    units(account)
    Credential.objects.filter(account=account, purpose=Purpose.REST).update(stopped_at=timezone.now())
    clock(60)
    assert units(account) == 15 * 10**9
    assert HERE.as_of(account.pk, Part.BALANCES).trouble == finding.STOPPED
    assert len(says.asked("BalanceEx")) == 1


def test_a_disconnected_account_keeps_its_last_known(says, account, clock):
    says.say(BalanceEx=BALANCE)
    units(account)
    now = timezone.now()
    Credential.objects.filter(account=account).update(removed_at=now, sealed_secret="")
    Connection.objects.filter(account=account).update(disconnected_at=now)
    clock(60)
    assert units(account) == 15 * 10**9
    assert HERE.as_of(account.pk, Part.BALANCES).trouble == finding.NOT_CONNECTED
    assert HERE.asset("BTC").id == "XXBT"


@pytest.mark.django_db(transaction=True)
def test_inside_of_a_transaction_nobody_is_asked(says, account):
    says.say(BalanceEx=BALANCE)
    with transaction.atomic():
        with pytest.raises(Unavailable):
            HERE.balances(account.pk)
        with pytest.raises(Unavailable, match="while something is being changed"):
            HERE.ledger(account.pk, LedgerQuery(until_id="LAAAAA-AAAAA-AAAAAA"))
    assert units(account) == 15 * 10**9
    Snapshot.objects.filter(account=account).update(read_at=timezone.now() - timedelta(hours=1))
    with transaction.atomic():
        assert units(account) == 15 * 10**9
    assert len(says.asked("BalanceEx")) == 1
    assert says.asked("Ledgers") == []


@pytest.mark.django_db(transaction=True)
def test_pages_that_ask_at_once_ask_once(says, account):
    def slow(handler):
        time.sleep(0.3)
        answering(b'{"error":[],"result":{"XXBT":{"balance":"1.5","hold_trade":"0"}}}')(handler)

    says.exchange.says = slow
    assert together(*[lambda: units(account)] * 6) == [15 * 10**9] * 6
    assert len(says.asked("BalanceEx")) == 1


def test_a_page_waits_for_all_its_questions_together(says, account, page, monkeypatch):
    """The exchange hangs: what is known is there after the time of one page, and nothing else is asked on it."""
    says.say(BalanceEx=BALANCE, Ledgers={"ledger": {}})
    units(account)
    HERE.ledger(account.pk, LedgerQuery())
    Snapshot.objects.filter(account=account).update(read_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(snapshots, "PAGE_SECONDS", 0.3)

    def hangs(handler):
        time.sleep(1)
        handler.close_connection = True

    says.exchange.says = hangs
    with page():
        assert units(account) == 15 * 10**9
        assert HERE.ledger(account.pk, LedgerQuery()).rows == ()
        assert (
            HERE.as_of(account.pk, Part.BALANCES).trouble == "The exchange did not answer in time, or not to the end."
        )
        assert HERE.as_of(account.pk, Part.LEDGER).trouble == snapshots.TOO_SLOW
    assert len(says.asked("BalanceEx")) == 2
    assert len(says.asked("Ledgers")) == 1


def test_pages_keep_to_the_portals_share(says, account, settings):
    """Whoever reloads a page again and again takes no call away from bots."""
    settings.API_LIMITS = True
    says.say(BalanceEx=BALANCE)
    for _ in range(60):
        assert units(account) == 15 * 10**9
        Snapshot.objects.filter(account=account).update(read_at=timezone.now() - timedelta(hours=1), trouble="")
    assert units(account) == 15 * 10**9
    # The counter of an intermediate account holds twenty calls, and no bot is at work.
    assert 20 <= len(says.asked("BalanceEx")) < 40
    assert HERE.as_of(account.pk, Part.BALANCES).trouble == snapshots.OVER_SHARE


def test_what_was_written_by_a_clock_ahead_is_read_again(says, account):
    says.say(BalanceEx=BALANCE)
    units(account)
    Snapshot.objects.filter(account=account).update(read_at=timezone.now() + timedelta(days=1))
    says.say(BalanceEx=OTHER)
    assert units(account) == 25 * 10**9
