"""The pages about the use of a key: what was called, what was refused and why, and who may read that."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api_keys import lifecycle, usage
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey, RefusedCall, ServiceUser
from portal.api.limits import lockout, refusal_events
from tests.api.calls import Wire, next_nonce, only_error

pytestmark = pytest.mark.django_db
PAGE = "/service-users/trading-bot/"
REFUSED = f"{PAGE}keys/1/refused/"


@pytest.fixture
def wire(trading_bot, settings) -> Wire:
    settings.API_LIMITS = False
    lockout.forget_all()
    refusal_events.forget_all()
    return Wire(trading_bot)


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def reasons() -> list[str]:
    usage.flush()
    return list(RefusedCall.objects.order_by("pk").values_list("reason", flat=True))


def test_the_page_counts_calls_and_refusals_by_kind(client, audit, wire, sign_in):
    """K6: calls by day, refusals, last use with time, address and endpoint."""
    wire.result("Balance")
    wire.result("Balance")
    wire.error("Withdraw", asset="XBT", key="btc-cold", amount="1")
    wire.error("AddOrder")
    usage.flush()
    sign_in(client, audit)
    text = text_of(client.get(PAGE))
    assert "2 calls in 90 days, 2 on the busiest day, 2 refused" in text
    assert '<td class="num">2</td>' in text
    assert "1 × EGeneral:Permission denied" in text
    assert "from 127.0.0.1" in text
    assert "<code>AddOrder</code>" in text
    assert "style=" not in text


def test_a_nonce_of_a_coarser_clock_is_explained(client, audit, wire, sign_in):
    """The bot hears the protocol's string; the page says what it means."""
    high = next_nonce()
    wire.ask("Balance", nonce=high)
    assert only_error(wire.ask("Balance", nonce=high // 10**6)) == "EAPI:Invalid nonce"
    usage.flush()
    sign_in(client, audit)
    text = text_of(client.get(REFUSED))
    assert f"Nonce {high // 10**6} is lower than {high}" in text
    assert "used by a client with a finer clock (nanoseconds instead of milliseconds)" in text
    assert "EAPI:Invalid nonce" in text


def test_each_refusal_has_its_own_reason(wire, owner, settings):
    """What answers alike (AP-7) is told apart for the administrator."""
    wire.ask("Balance", nonce=5)
    wire.ask("Balance", nonce=5)
    wire.ask("Balance", nonce="x")
    wire.ask("Balance", nonce=2**64 - 1)
    wire.read(wire.send("Balance", b"nonce=9", nonce="9", signature="AAAA"))
    wire.ask("Withdraw")
    wire.ask("Nonsense")
    wire.ask("Ledgers", ofs="x")
    wire.ask("WithdrawStatus", asset="NOSUCH")
    wire.read(wire.send("Balance", b"nonce=9&nonce=9", nonce="9"))
    ServiceUser.objects.filter(pk=wire.bot.service_user.pk).update(ip_allow_list=["198.51.100.1"])
    lifecycle.touch(wire.bot.service_user)
    wire.ask("Balance")
    suspend_service_user(actor=owner, service_user=wire.bot.service_user, reason="It has to stop.")
    wire.ask("Balance")
    revoke_key(actor=owner, api_key=wire.bot.key, reason="It has to stop.")
    wire.ask("Balance", nonce=6)
    assert [reason for reason in reasons() if reason != "suspended"] == [
        "nonce_used", "nonce_missing", "nonce_ahead", "signature", "permission", "method", "arguments", "rule", "body",
        "address", "revoked",
    ]  # fmt: skip
    fields = RefusedCall.objects.get(reason="arguments").facts
    assert fields == {"field": "ofs"}


def test_an_expired_and_an_unclaimed_key_are_told_apart(wire, owner, trading_bot):
    end = timezone.now() + timedelta(hours=1)
    ApiKey.objects.filter(pk=trading_bot.key.pk).update(expires_at=end)
    lifecycle.touch(trading_bot.service_user)
    with time_machine.travel(end, tick=False):
        wire.ask("Balance")
        assert reasons() == ["expired"]


def test_without_refusals_the_page_says_so(client, audit, sign_in, trading_bot):
    sign_in(client, audit)
    assert "No call of this key was refused." in text_of(client.get(REFUSED))


@pytest.mark.parametrize("number", ["0", "2", "99", "9" * 22])
def test_a_key_that_is_not_there_is_not_found(client, audit, sign_in, trading_bot, number):
    sign_in(client, audit)
    assert client.get(f"{PAGE}keys/{number}/refused/").status_code == 404


def test_another_organization_reads_nothing(client, eve, sign_in, trading_bot):
    """O1."""
    sign_in(client, eve)
    assert client.get(REFUSED).status_code == 404


def test_what_strangers_wrote_stands_there_as_text(client, audit, wire, sign_in):
    wire.read(wire.send("Balance", b"nonce=1", nonce="<script>alert(1)</script>", signature="x"))
    wire.ask("<script>")
    usage.flush()
    sign_in(client, audit)
    text = text_of(client.get(REFUSED))
    assert "<script>alert" not in text
    assert "<code>unknown</code>" in text


def test_the_pages_take_as_many_queries_for_many_as_for_few(client, audit, wire, sign_in):
    sign_in(client, audit)
    client.get(REFUSED)
    counts = []
    for many in (1, 60):
        for number in range(many):
            wire.source = f"192.0.2.{number}"
            wire.error("Withdraw")
        usage.flush()
        for page in (REFUSED, PAGE):
            with CaptureQueriesContext(connection) as queries:
                client.get(page)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
