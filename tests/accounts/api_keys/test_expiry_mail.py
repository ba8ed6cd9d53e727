"""Warnings about keys: shown as long as they hold, mailed once each (DESIGN K6)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.expiry_mail import announce_due
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey, KeyNotice
from portal.jobs import mail
from portal.jobs.periodic import run_due

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def only(trading_bot):
    """The one key that anything is due about: the others were used just now."""
    ApiKey.objects.update(last_used_at=NOW)
    return trading_bot.key


def let(key: ApiKey, **values: object) -> None:
    ApiKey.objects.filter(pk=key.pk).update(**values)


def kinds() -> list[str]:
    return list(KeyNotice.objects.order_by("pk").values_list("kind", flat=True))


def test_each_warning_before_expiry_is_mailed_once_to_who_can_act(only, mailed):
    """K6, AP-9: announced 30, 7 and 1 days before."""
    let(only, expires_at=NOW + timedelta(days=40))
    told = []
    for day in (0, 9, 10, 11, 32, 33, 34, 38, 39, 40, 41):
        with time_machine.travel(NOW + timedelta(days=day), tick=False):
            ApiKey.objects.update(last_used_at=timezone.now())
            told.append((day, [message.subject for message in mailed(announce_due)]))
    subjects = {day: set(found) for day, found in told if found}
    assert subjects == {
        10: {"A key of trading-bot expires within 30 days"},
        33: {"A key of trading-bot expires within 7 days"},
        39: {"A key of trading-bot expires within a day"},
    }


def test_the_mail_goes_to_administrators_and_custodians_and_holds_no_secret(only, mailed, trading_bot):
    """SE-4."""
    let(only, expires_at=NOW + timedelta(days=3))
    messages = mailed(announce_due)
    assert {address for message in messages for address in message.to} == {"owner@demo.test", "ana@demo.test"}
    for message in messages:
        assert only.short in message.body
        assert "/service-users/trading-bot/" in message.body
        assert trading_bot.public not in message.body
        assert trading_bot.secret[:12] not in message.body


def test_a_late_run_sends_only_the_nearest(only, mailed):
    let(only, expires_at=NOW + timedelta(hours=5))
    mailed(announce_due)
    assert kinds() == ["expires_1"]


def test_another_expiry_is_announced_anew(only, mailed):
    let(only, expires_at=NOW + timedelta(days=5))
    mailed(announce_due)
    let(only, expires_at=NOW + timedelta(days=6))
    assert mailed(announce_due)
    assert kinds() == ["expires_7", "expires_7"]


def test_keys_that_nobody_uses_are_announced_once(only, mailed):
    """K6: never used, and unused for 90 days."""
    let(only, last_used_at=None, revealed_at=NOW - timedelta(days=30))
    mailed(announce_due)
    mailed(announce_due)
    assert kinds() == ["never_used"]
    let(only, last_used_at=NOW - timedelta(days=90))
    mailed(announce_due)
    let(only, last_used_at=NOW - timedelta(days=89))
    mailed(announce_due)
    assert kinds() == ["never_used", "unused"]


def test_of_dead_keys_nothing_is_said(only, owner, trading_bot, treasury_bot, mailed):
    let(only, expires_at=NOW + timedelta(days=1))
    let(treasury_bot.key, expires_at=NOW + timedelta(days=1))
    revoke_key(actor=owner, api_key=only, reason="It has to stop.")
    suspend_service_user(actor=owner, service_user=treasury_bot.service_user, reason="It has to stop.")
    assert mailed(announce_due) == []


def test_one_that_is_rotating_out_is_not_announced(only, mailed):
    end = NOW + timedelta(days=1)
    let(only, expires_at=end)
    lifecycle.retire(ApiKey.objects.filter(pk=only.pk), at=end)
    assert mailed(announce_due) == []


def test_the_page_shows_it_as_long_as_it_holds(client, audit, only, sign_in):
    let(only, expires_at=NOW + timedelta(days=3))
    sign_in(client, audit)
    page = "/service-users/trading-bot/"
    assert "Expires within 7 days." in client.get(page).content.decode()
    let(only, expires_at=NOW + timedelta(days=300), last_used_at=NOW - timedelta(days=91))
    assert "Unused for 90 days." in client.get(page).content.decode()
    let(only, last_used_at=None, revealed_at=NOW - timedelta(days=31))
    assert "Nobody ever used it" in client.get(page).content.decode()


def test_the_worker_does_it(only):
    """It is one of the periodic duties."""
    let(only, expires_at=NOW + timedelta(days=3))
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        run_due()
    assert kinds() == ["expires_7"]


@pytest.mark.django_db(transaction=True)
def test_two_nodes_at_once_send_each_warning_once(race, trading_bot, mailoutbox):
    ApiKey.objects.update(last_used_at=timezone.now())
    let(trading_bot.key, expires_at=timezone.now() + timedelta(days=3))
    assert sorted(race(lambda _: announce_due(), 6)) == [0, 0, 0, 0, 0, 1]
    mail.settle()
    assert len(mailoutbox) == 2
