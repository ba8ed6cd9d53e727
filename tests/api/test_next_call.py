"""What a key may do and from where counts from the next call on after any change."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from tests.api.calls import INVALID_KEY, next_nonce, only_error
from tests.api.changed_bots import change_bot, change_key, high

pytestmark = pytest.mark.django_db


class TestFromTheNextCall:
    """DESIGN K4: each setting is enforced from the next call after a change, though the process remembers the key."""

    def test_a_revoked_key_is_dead(self, readonly, owner):
        """AP-9: revoke, next call fails."""
        readonly.result("Balance")
        revoke_key(actor=owner, api_key=readonly.bot.key, reason="It has to stop.")
        assert readonly.error("Balance") == INVALID_KEY

    def test_a_revoked_key_is_dead_also_with_a_wrong_signature(self, readonly, owner):
        readonly.result("Balance")
        revoke_key(actor=owner, api_key=readonly.bot.key, reason="It has to stop.")
        wrong = readonly.read(readonly.send("Balance", b"nonce=1", nonce="1", signature="x"))
        assert only_error(wrong) == INVALID_KEY

    def test_a_suspended_bot_is_out(self, readonly, owner):
        readonly.result("Balance")
        suspend_service_user(actor=owner, service_user=readonly.bot.service_user, reason="It has to stop.")
        assert readonly.error("Balance") == INVALID_KEY

    def test_a_permission_is_gone(self, readonly):
        readonly.result("Balance")
        change_bot(readonly, permissions=["query-ledger"])
        assert readonly.error("Balance") == "EGeneral:Permission denied"
        change_bot(readonly, permissions=["query-funds"])
        readonly.result("Balance")

    def test_an_expiry_counts_to_the_instant(self, readonly):
        """AP-9: expiry is exact."""
        end = timezone.now().replace(microsecond=0) + timedelta(hours=1)
        change_key(readonly, expires_at=end)
        with time_machine.travel(end - timedelta(microseconds=1), tick=False):
            readonly.result("Balance")
        with time_machine.travel(end, tick=False):
            assert readonly.error("Balance") == INVALID_KEY

    def test_an_allow_list_closes_and_opens(self, readonly):
        readonly.result("Balance")
        change_bot(readonly, ip_allow_list=["198.51.100.7"])
        assert readonly.error("Balance") == INVALID_KEY
        change_bot(readonly, ip_allow_list=["127.0.0.0/8"])
        readonly.result("Balance")

    def test_a_wider_window_counts(self, readonly):
        readonly.result("Balance")
        change_bot(readonly, nonce_window=10**9)
        late = high(readonly) - 5
        assert readonly.ask("Balance", nonce=late)["error"] == []


ALLOWED = [
    (["192.0.2.7"], "192.0.2.7", True),
    (["192.0.2.7"], "192.0.2.8", False),
    (["192.0.2.0/24", "198.51.100.1"], "192.0.2.200", True),
    (["192.0.2.0/24"], "192.0.3.1", False),
    (["2001:db8::/32"], "2001:db8:1::5", True),
    (["2001:db8::/32"], "2001:db9::5", False),
    (["10.0.0.0/8"], "::ffff:10.0.0.1", True),
    (["192.0.2.7"], "", False),
    (["0.0.0.0/0"], "2001:db8::1", False),
]


def test_the_allow_list_is_matched_on_the_source(readonly):
    """AP-8: addresses and CIDR, IPv4 and IPv6, mapped addresses unmapped."""
    for allowed, source, passes in ALLOWED:
        change_bot(readonly, ip_allow_list=allowed)
        readonly.source = source
        assert readonly.ask("Balance")["error"] == ([] if passes else [INVALID_KEY]), (allowed, source)


def test_a_spoofed_forwarded_address_is_not_believed(readonly, settings):
    """AP-8, WB-10: X-Forwarded-For counts only as far as listed proxies added it."""
    change_bot(readonly, ip_allow_list=["198.51.100.7"])

    def errors(forwarded: str):
        nonce = str(next_nonce())
        headers = {"X-Forwarded-For": forwarded, "X-Real-IP": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
        response = readonly.send("Balance", f"nonce={nonce}".encode(), nonce=nonce, headers=headers)
        return readonly.read(response)["error"]

    assert errors("198.51.100.7") == [INVALID_KEY]
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert errors("198.51.100.7") == []
    assert errors("198.51.100.7, 203.0.113.5") == [INVALID_KEY]
