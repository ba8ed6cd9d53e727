"""Issuing, revealing, finding and spending keys."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.api_keys import credentials, lifecycle
from accounts.api_keys.lifecycle import NonceUsed, Refusal, Spent
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey, Custodian
from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser, LiftSuspension, RemoveServiceUser
from accounts.service_users.reinstate_and_remove import lift_suspension, remove_service_user
from policies.changes import propose
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound
from tests.accounts.conftest import called, live, spend_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def unclaimed(owner, trading_bot):
    """A key of the Owner that nobody has revealed yet."""
    with transaction.atomic():
        return lifecycle.issue(trading_bot.service_user, made_by=owner, expires_at=None)


def test_a_key_has_the_form_that_clients_expect(treasury_bot):
    """AP-1: the public half is 56 letters and digits, the secret base64 of 64 bytes."""
    assert len(treasury_bot.public) == 56
    assert treasury_bot.public.isascii()
    assert treasury_bot.public.isalnum()
    assert len(treasury_bot.secret) == 88
    assert lifecycle.find(treasury_bot.public) is not None


def test_a_dump_holds_no_secret(tmp_path, treasury_bot):
    """AP-1: nothing in the whole database reads as the secret."""
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump), verbosity=0)
    text = dump.read_text()
    assert treasury_bot.public in text
    assert treasury_bot.secret not in text
    assert treasury_bot.secret[:20] not in text


def test_a_sealed_secret_opens_only_beside_its_own_key(treasury_bot, trading_bot):
    """SE-1: copied to another row it does not open."""
    ApiKey.objects.filter(pk=trading_bot.key.pk).update(sealed_secret=treasury_bot.key.sealed_secret)
    with pytest.raises(Exception, match="does not open"):
        lifecycle.find(trading_bot.public)


def test_an_unclaimed_key_does_nothing(unclaimed):
    assert lifecycle.find(unclaimed.public) is None


def test_revealing_makes_the_key_live_and_its_reader_a_custodian(owner, unclaimed):
    """K2: the secret that is shown is the one that signs."""
    revealed = lifecycle.reveal(unclaimed.pk, member=owner)
    found = lifecycle.find(revealed.public)
    assert found is not None
    assert (
        lifecycle.secret_of(ApiKey.objects.get(pk=unclaimed.pk).sealed_secret, public=revealed.public)
        == revealed.secret
    )
    assert Custodian.objects.get(api_key=unclaimed).member == owner
    assert revealed.secret not in repr(revealed)


def test_a_secret_is_revealed_once(owner, unclaimed):
    """SE-2: the second time there is nothing."""
    lifecycle.reveal(unclaimed.pk, member=owner)
    with pytest.raises(Conflict, match="shown only once"):
        lifecycle.reveal(unclaimed.pk, member=owner)


def test_only_whoever_made_the_key_reveals_it(ana, eve, unclaimed):
    for other in (ana, eve):
        with pytest.raises(NotFound):
            lifecycle.reveal(unclaimed.pk, member=other)
    assert ApiKey.objects.get(pk=unclaimed.pk).revealed_at is None


def test_an_unclaimed_key_dies_after_72_hours(owner, unclaimed):
    """K2: exactly, and without any job."""
    with time_machine.travel(unclaimed.created_at + timedelta(hours=72), tick=False):
        assert not ApiKey.objects.get(pk=unclaimed.pk).is_claimable
        with pytest.raises(Conflict, match="72 hours"):
            lifecycle.reveal(unclaimed.pk, member=owner)
        with pytest.raises(Conflict):
            lifecycle.reveal(unclaimed.pk, member=owner)
    assert ApiKey.objects.get(pk=unclaimed.pk).revoked_at == unclaimed.claim_by
    assert AuditEvent.objects.filter(kind="key.lapsed").count() == 1


def test_a_second_before_it_can_still_be_claimed(owner, unclaimed):
    with time_machine.travel(unclaimed.created_at + timedelta(hours=72, seconds=-1), tick=False):
        assert lifecycle.reveal(unclaimed.pk, member=owner).public == unclaimed.public


def test_a_suspended_bot_reveals_nothing(owner, unclaimed):
    suspend_service_user(actor=owner, service_user=unclaimed.service_user, reason="It has to stop.")
    with pytest.raises(Conflict, match="not active"):
        lifecycle.reveal(unclaimed.pk, member=owner)


def test_nothing_but_a_whole_public_half_reaches_the_database(django_assert_num_queries, world):
    with django_assert_num_queries(0):
        for text in ("", "x", "x" * 55, "é" * 56, "\0" * 56, "a" * 57, "a" * 55 + "/"):
            assert lifecycle.find(text) is None


def test_a_found_key_is_remembered(django_assert_num_queries, treasury_bot):
    lifecycle.find(treasury_bot.public)
    with django_assert_num_queries(0):
        lifecycle.find(treasury_bot.public)


def test_no_more_keys_are_remembered_than_agreed(monkeypatch, treasury_bot, trading_bot, readonly_bot):
    monkeypatch.setattr(credentials, "CACHED", 2)
    for bot in (treasury_bot, trading_bot, readonly_bot):
        lifecycle.find(bot.public)
    assert list(credentials._cache) == [trading_bot.public, readonly_bot.public]


def test_a_call_takes_one_statement(django_assert_num_queries, treasury_bot):
    credential = live(treasury_bot.public)
    with django_assert_num_queries(1):
        assert isinstance(spend_as(credential, 1000), Spent)


def test_a_call_notes_nonce_time_and_address(treasury_bot):
    now = timezone.now()
    called(treasury_bot.public, 1000, source="2001:db8::7", now=now)
    key = ApiKey.objects.get(pk=treasury_bot.key.pk)
    assert (key.last_nonce, key.last_used_at, key.last_used_ip) == (1000, now, "2001:db8::7")


@pytest.mark.parametrize("window", [0, 100])
def test_a_nonce_is_accepted_once_and_must_rise(treasury_bot, window):
    """AP-5: also with a window, where it may be late but not repeated."""
    treasury_bot.service_user.nonce_window = window
    treasury_bot.service_user.save()
    lifecycle.touch(treasury_bot.service_user)
    assert isinstance(called(treasury_bot.public, 1000), Spent)
    assert isinstance(called(treasury_bot.public, 1000), NonceUsed)
    late = called(treasury_bot.public, 950)
    assert isinstance(late, Spent) if window else isinstance(late, NonceUsed)
    assert isinstance(called(treasury_bot.public, 900), NonceUsed)
    assert isinstance(called(treasury_bot.public, 950), NonceUsed)


@pytest.mark.parametrize("window", [0, 100])
def test_the_call_counter_leaks_and_stops_at_twice_the_maximum(treasury_bot, window):
    treasury_bot.service_user.nonce_window = window
    treasury_bot.service_user.save()
    lifecycle.touch(treasury_bot.service_user)
    credential = live(treasury_bot.public)
    now = timezone.now()
    levels = [level(credential, nonce, now) for nonce in range(1, 60)]
    assert levels[:3] == [1, 2, 3]
    assert max(levels) == levels[-1] == 40
    assert level(credential, 60, now + timedelta(seconds=5)) == pytest.approx(36)
    assert level(credential, 61, now + timedelta(hours=1)) == pytest.approx(1)


@pytest.mark.parametrize("window", [0, 100])
def test_expiry_is_exact(treasury_bot, window):
    """AP-9: in the same second, by the clock of the call."""
    end = timezone.now() + timedelta(days=1)
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(expires_at=end)
    treasury_bot.service_user.nonce_window = window
    treasury_bot.service_user.save()
    lifecycle.touch(treasury_bot.service_user)
    assert isinstance(called(treasury_bot.public, 1, now=end - timedelta(microseconds=1)), Spent)
    assert called(treasury_bot.public, 2, now=end) is Refusal.KEY
    assert ApiKey.objects.get(pk=treasury_bot.key.pk).last_nonce == 1


def level(credential, nonce, now) -> float:
    assert isinstance(spend_as(credential, nonce, now=now), Spent)
    return float(ApiKey.objects.get(pk=credential.id).calls)


def revoke(owner, bot):
    revoke_key(actor=owner, api_key=bot.key, reason="It has to stop.")


def suspend(owner, bot):
    suspend_service_user(actor=owner, service_user=bot.service_user, reason="It has to stop.")


def remove(owner, bot):
    propose(remove_service_user, actor=owner, params=RemoveServiceUser(bot.service_user.pk))


@pytest.mark.parametrize("window", [0, 100])
@pytest.mark.parametrize("take_away", [revoke, suspend, remove])
def test_whatever_takes_power_away_counts_from_the_next_call(owner, trading_bot, take_away, window):
    """AP-9: also for a process that remembers the key."""
    trading_bot.service_user.nonce_window = window
    trading_bot.service_user.save()
    lifecycle.touch(trading_bot.service_user)
    remembered = live(trading_bot.public)
    assert isinstance(called(trading_bot.public, 1), Spent)
    take_away(owner, trading_bot)
    assert spend_as(remembered, 2) is Refusal.CHANGED
    assert lifecycle.find(trading_bot.public) is None
    assert ApiKey.objects.get(pk=trading_bot.key.pk).last_nonce == 1


@pytest.mark.parametrize(
    "narrower",
    [
        {"permissions": ("query-funds",)},
        {"ip_allow_list": ("203.0.113.0/28",)},
        {"expires_at": timezone.now() + timedelta(days=400)},
        {"query_start": timezone.now()},
        {"query_end": timezone.now()},
        {"websocket": True},
        {"nonce_window": 5},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_every_change_of_limits_counts_from_the_next_call(owner, trading_bot, narrower):
    """K4: what a process remembers is thrown away, whichever field it is."""
    called(trading_bot.public, 1)
    remembered = live(trading_bot.public)
    change(owner, trading_bot, **narrower)
    assert spend_as(remembered, 2) is Refusal.CHANGED
    assert isinstance(called(trading_bot.public, 2), Spent)
    assert live(trading_bot.public) != remembered


def test_a_lifted_suspension_lets_the_key_work_again(owner, trading_bot):
    suspend(owner, trading_bot)
    propose(lift_suspension, actor=owner, params=LiftSuspension(trading_bot.service_user.pk))
    assert isinstance(called(trading_bot.public, 1), Spent)


def test_a_wider_window_reopens_no_used_nonce(owner, trading_bot):
    """AP-5: at the change everything up to the highest counts as seen."""
    called(trading_bot.public, 1000)
    change(owner, trading_bot, nonce_window=500)
    assert isinstance(called(trading_bot.public, 1000), NonceUsed)
    assert isinstance(called(trading_bot.public, 999), NonceUsed)
    assert isinstance(called(trading_bot.public, 1010), Spent)
    assert isinstance(called(trading_bot.public, 1005), Spent)


def test_a_lost_row_back_is_looked_into_with_one_more_statement(django_assert_num_queries, treasury_bot):
    credential = live(treasury_bot.public)
    spend_as(credential, 10)
    with django_assert_num_queries(2):
        assert isinstance(spend_as(credential, 10), NonceUsed)


def test_a_refusal_from_memory_can_be_checked(owner, trading_bot):
    """Hot path §1: before saying no because of what it remembers, a process asks whether that still holds."""
    remembered = live(trading_bot.public)
    assert lifecycle.is_current(remembered)
    change(owner, trading_bot, ip_allow_list=("203.0.113.7",))
    assert not lifecycle.is_current(remembered)
    assert [str(network) for network in live(trading_bot.public).networks] == ["203.0.113.7/32"]


def test_an_active_key_must_have_been_revealed(unclaimed):
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=unclaimed.pk).update(is_active=True)
    assert connection.is_usable()


def change(owner, bot, **fields):
    bot.service_user.refresh_from_db()
    before = limits_of(bot.service_user)
    params = ChangeServiceUser(
        service_user_id=bot.service_user.pk,
        account_id=bot.service_user.account_id,
        before=before,
        after=replace(before, **fields),
        acknowledged=True,
    )
    return propose(change_service_user, actor=owner, params=params)
