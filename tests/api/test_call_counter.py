"""How many calls a key may make: counted after its nonce, by the tier of its Organization."""

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import call_limits, lifecycle
from accounts.models import Organization
from tests.api.calls import INVALID_NONCE, next_nonce, only_error

pytestmark = pytest.mark.django_db


def test_the_call_counter_rises_leaks_and_refuses(readonly, settings, monkeypatch):
    """AP-12: call counters per key after the nonce; the refused call has spent its nonce."""
    settings.API_LIMITS = True
    monkeypatch.setitem(call_limits.CALLS, "pro", call_limits.Calls(4.0, 1.0))
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        for method in ("Ledgers", "Balance", "Balance"):
            readonly.result(method)
        nonce = next_nonce()
        assert only_error(readonly.ask("Balance", nonce=nonce)) == "EAPI:Rate limit exceeded"
        assert only_error(readonly.ask("Balance", nonce=nonce)) == INVALID_NONCE
        clock.shift(2)
        readonly.result("Balance")
        assert readonly.error("Balance") == "EAPI:Rate limit exceeded"


def test_placing_and_cancelling_orders_does_not_count(trading, settings, monkeypatch):
    settings.API_LIMITS = True
    monkeypatch.setitem(call_limits.CALLS, "pro", call_limits.Calls(1.0, 1.0))
    for _ in range(5):
        assert trading.error("AddOrder") == "EGeneral:Invalid arguments"
        assert trading.error("CancelOrder") == "EGeneral:Invalid arguments"
    trading.result("Balance")


@pytest.mark.parametrize(("tier", "allowed"), [("starter", 15), ("intermediate", 20), ("pro", 20), ("off", 60)])
def test_the_tier_of_the_organization_says_how_many(readonly, settings, tier, allowed):
    """Reference §5: the maximum of each tier, from the first call after it was changed."""
    settings.API_LIMITS = True
    organization = readonly.bot.service_user.organization
    with time_machine.travel(timezone.now(), tick=False):
        readonly.result("Balance")
        Organization.objects.filter(pk=organization.pk).update(api_tier=tier)
        lifecycle.touch_organization(organization)
        errors = [readonly.ask("Balance")["error"] for _ in range(60)]
    assert errors.count([]) == min(allowed - 1, 60) + (tier == "off")
    assert [] not in errors[allowed:]


def test_a_flood_of_calls_blocks_its_key_for_seconds_only(readonly, settings):
    """The counter is capped at twice the maximum: however many calls come, twenty seconds of quiet are enough."""
    settings.API_LIMITS = True
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(100):
            readonly.ask("Balance")
        clock.shift(19)
        assert readonly.error("Balance") == "EAPI:Rate limit exceeded"
        clock.shift(21)
        readonly.result("Balance")
