"""Messages on a socket, counted with the key's calls and noted as its last use, without a nonce."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import call_limits, lifecycle
from accounts.api_keys.lifecycle import Refusal, Spent, count, find, spend
from accounts.models import ApiKey, ServiceUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def credential(trading_bot, settings, monkeypatch):
    settings.API_LIMITS = True
    monkeypatch.setitem(call_limits.CALLS, "pro", call_limits.Calls(4.0, 1.0))
    found = find(trading_bot.public)
    assert found is not None
    return found


def counted(credential, cost=1.0, method="cancel_all"):
    return count(credential, cost=cost, source="192.0.2.7", now=timezone.now(), method=method)


def test_a_message_is_the_last_use_and_takes_no_nonce(credential):
    before = ApiKey.objects.get(pk=credential.id)
    assert isinstance(counted(credential, 0.0, "add_order"), Spent)
    key = ApiKey.objects.get(pk=credential.id)
    assert (key.last_used_ip, key.last_used_method) == ("192.0.2.7", "add_order")
    assert key.last_used_at is not None
    assert key.last_used_at > timezone.now() - timedelta(seconds=10)
    assert (key.last_nonce, key.calls) == (before.last_nonce, 0)


@pytest.mark.parametrize("window", [0, 100])
def test_messages_and_calls_fill_the_same_counter_which_leaks_and_is_capped(credential, window):
    credential = replace(credential, nonce_window=window)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for level in (1.0, 2.0, 3.0):
            assert counted(credential) == Spent(level, is_over=False)
        spent = spend(credential, nonce=1, source="192.0.2.7", cost=1.0, now=timezone.now())
        assert spent == Spent(4.0, is_over=False)
        assert counted(credential) == Spent(5.0, is_over=True)
        assert [counted(credential) for _ in range(9)][-1] == Spent(8.0, is_over=True)
        clock.shift(4)
        assert counted(credential, 0.0) == Spent(4.0, is_over=False)


def test_a_key_that_is_not_as_remembered_counts_nothing(credential, trading_bot):
    lifecycle.touch(trading_bot.service_user)
    assert counted(credential) is Refusal.CHANGED
    key = ApiKey.objects.get(pk=credential.id)
    assert (key.last_used_method, key.calls) == ("", 0)
    found = find(trading_bot.public)
    assert found is not None
    assert isinstance(counted(found), Spent)


def test_a_key_that_works_no_more_counts_nothing(credential, trading_bot):
    ServiceUser.objects.filter(pk=trading_bot.service_user.pk).update(suspended_at=timezone.now())
    lifecycle.touch(trading_bot.service_user)
    assert counted(credential) is Refusal.CHANGED
    assert find(trading_bot.public) is None


def test_a_key_past_its_expiry_counts_nothing(credential):
    """An expiry comes by the clock: no row changes with it."""
    ApiKey.objects.filter(pk=credential.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert counted(replace(credential, expires_at=timezone.now() - timedelta(seconds=1))) is Refusal.KEY
    assert ApiKey.objects.get(pk=credential.id).last_used_method == ""
