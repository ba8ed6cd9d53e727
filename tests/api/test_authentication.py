"""AP-7: the checks of a signed call, in the protocol's order, with one answer for every dead key."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey
from portal.api.protocol import signature
from tests.api.calls import INVALID_KEY, INVALID_NONCE, INVALID_SIGNATURE, Wire, next_nonce, only_error, sign
from tests.api.changed_bots import change_bot, change_key, high

pytestmark = pytest.mark.django_db


def test_a_signed_call_is_answered(readonly):
    assert "XXBT" in readonly.result("Balance")


def test_every_check_comes_before_the_next(readonly, settings):
    """AP-7: a call with everything wrong shows each error in turn as it is put right."""
    settings.API_LOCKOUT_FAILURES, settings.API_LIMITS = 1_000, True
    nonce, path = str(next_nonce()), "/0/private/Nonsense"
    body = f"nonce={nonce}&amount=x".encode()
    good = sign(readonly.bot.secret, path, nonce, body)

    def error(body=body, **given) -> str:
        return only_error(readonly.read(readonly.send("Nonsense", body, nonce=nonce, **given)))

    unreadable = error(body + b"&nonce=2", key="x", signature="x")
    assert unreadable == "EGeneral:Invalid arguments"
    assert error(key="x", signature="x") == INVALID_KEY
    change_bot(readonly, ip_allow_list=["198.51.100.1"])
    assert error(signature="x") == INVALID_KEY
    change_bot(readonly, ip_allow_list=[])
    assert error(signature="x") == INVALID_SIGNATURE
    change_key(readonly, last_nonce=int(nonce))
    assert error(signature=good) == INVALID_NONCE
    change_key(readonly, last_nonce=0, calls=10_001, calls_at=timezone.now().timestamp())
    assert error(signature=good) == "EAPI:Rate limit exceeded"
    change_key(readonly, last_nonce=0, calls=0)
    assert error(signature=good) == "EGeneral:Unknown method"
    assert readonly.error("Withdraw", amount="x") == "EGeneral:Permission denied"
    assert readonly.error("OrderAmends", ofs="x") == "EGeneral:Unknown method"
    assert readonly.error("Ledgers", ofs="x") == "EGeneral:Invalid arguments"


def test_a_lockout_stands_between_the_source_and_the_signature(readonly, settings):
    settings.API_LOCKOUT_FAILURES = 3
    for _ in range(3):
        assert only_error(readonly.read(readonly.send("Balance", b"nonce=1", nonce="1", signature="x"))) == (
            INVALID_SIGNATURE
        )
    assert readonly.error("Balance") == "EGeneral:Temporary lockout"
    elsewhere = Wire(readonly.bot, source="192.0.2.55")
    assert "XXBT" in elsewhere.result("Balance")
    unknown = readonly.read(readonly.send("Balance", b"nonce=1", nonce="1", key="A" * 56))
    assert only_error(unknown) == INVALID_KEY


def test_a_stranger_who_knows_a_public_key_does_not_stop_its_bot(readonly, settings):
    """AP-7, AP-12: a burst from a stranger leaves the owner of the key undisturbed."""
    settings.API_LOCKOUT_FAILURES, settings.API_FLOOD_MAXIMUM = 5, 20.0
    stranger = Wire(readonly.bot, source="203.0.113.9")
    errors = [
        only_error(stranger.read(stranger.send("Balance", b"nonce=9", nonce="9", signature="x"))) for _ in range(60)
    ]
    assert errors[0] == INVALID_SIGNATURE
    assert errors[-1] == "EGeneral:Temporary lockout"
    assert "XXBT" in readonly.result("Balance")


def test_a_flood_of_unknown_keys_is_cut_off_at_its_source(readonly, settings):
    settings.API_FLOOD_MAXIMUM = 20.0
    stranger = Wire(readonly.bot, source="203.0.113.9")
    # The count leaks by the second, so all of it happens in one.
    with time_machine.travel(timezone.now(), tick=False):
        errors = {
            only_error(stranger.read(stranger.send("Balance", b"nonce=9", nonce="9", key="A" * 56))) for _ in range(40)
        }
    assert errors == {INVALID_KEY, "EGeneral:Too many requests"}
    assert "XXBT" in readonly.result("Balance")


def test_an_unknown_key_is_invalid(readonly):
    for key in ("", "x", "A" * 56, "A" * 57, "é" * 56, "A" * 5000, "' OR 1=1 --"):
        assert only_error(readonly.read(readonly.send("Balance", b"nonce=1", nonce="1", key=key))) == INVALID_KEY


class TestOneAnswerForEveryDeadKey:
    """AP-7: unknown, revoked, expired, suspended and wrong source: same body, HMAC computed once in each."""

    @pytest.fixture
    def computed(self, monkeypatch) -> list[str]:
        calls: list[str] = []
        real = signature.compute

        def counted(keyed, **given):
            calls.append(given["path"])
            return real(keyed, **given)

        monkeypatch.setattr(signature, "compute", counted)
        return calls

    @pytest.mark.parametrize("is_cached", [True, False])
    @pytest.mark.parametrize("way", ["unknown", "revoked", "expired", "suspended", "removed", "unrevealed", "source"])
    def test_the_answer_and_the_work_are_the_same(self, readonly, owner, computed, way, is_cached):
        if is_cached:
            readonly.result("Balance")
        given = {}
        match way:
            case "unknown":
                given = {"key": "A" * 56}
            case "revoked":
                revoke_key(actor=owner, api_key=readonly.bot.key, reason="It has to stop.")
            case "expired":
                change_key(readonly, expires_at=timezone.now())
            case "suspended":
                suspend_service_user(actor=owner, service_user=readonly.bot.service_user, reason="It has to stop.")
            case "removed":
                change_bot(readonly, removed_at=timezone.now())
            case "unrevealed":
                change_key(readonly, revealed_at=None, is_active=False)
            case "source":
                change_bot(readonly, ip_allow_list=["198.51.100.0/24"])
        if not is_cached:
            lifecycle.forget(readonly.bot.public)
        before = high(readonly)
        computed.clear()
        nonce = str(next_nonce())
        response = readonly.send("Balance", f"nonce={nonce}".encode(), nonce=nonce, **given)
        assert response.content == b'{"error":["EAPI:Invalid key"]}'
        assert len(computed) == 1
        assert high(readonly) == before

    def test_also_when_only_the_clock_has_moved(self, readonly, computed):
        change_key(readonly, expires_at=timezone.now() + timedelta(hours=1))
        readonly.result("Balance")
        computed.clear()
        with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1), tick=False):
            assert readonly.error("Balance") == INVALID_KEY
        assert len(computed) == 1


@pytest.mark.parametrize("place", ["path", "nonce", "body"])
def test_what_was_not_signed_is_refused(readonly, place):
    """AP-2: the signature covers path, nonce and body as they were sent."""
    nonce = str(next_nonce())
    body = f"nonce={nonce}&asset=XBT".encode()
    good = sign(readonly.bot.secret, "/0/private/Balance", nonce, body)
    method = "BalanceEx" if place == "path" else "Balance"
    if place == "nonce":
        body = body.replace(nonce.encode(), str(int(nonce) + 1).encode())
    if place == "body":
        body = body.replace(b"XBT", b"XBU")
    assert only_error(readonly.read(readonly.send(method, body, nonce=nonce, signature=good))) == INVALID_SIGNATURE


def test_a_body_is_signed_as_sent_not_as_it_would_be_written_again(readonly):
    nonce = str(next_nonce())
    for body in (f"b=%2b&a=+&nonce={nonce}", f"nonce={int(nonce) + 1}&a=%5B"):
        text = body.partition("nonce=")[2].partition("&")[0]
        assert readonly.read(readonly.send("Balance", body.encode(), nonce=text))["error"] == []


def test_the_key_of_another_bot_does_not_sign_for_this_one(readonly, trading):
    nonce = str(next_nonce())
    body = f"nonce={nonce}".encode()
    foreign = sign(trading.bot.secret, "/0/private/Balance", nonce, body)
    assert only_error(readonly.read(readonly.send("Balance", body, nonce=nonce, signature=foreign))) == (
        INVALID_SIGNATURE
    )


def test_use_is_noted_with_time_and_address(readonly):
    readonly.source = "192.0.2.44"
    readonly.result("Balance")
    key = ApiKey.objects.get(pk=readonly.bot.key.pk)
    assert key.last_used_ip == "192.0.2.44"
    assert key.last_used_at is not None


def test_a_session_opens_nothing_here(world, client, sign_in, owner):
    """AP-13: cookie only at /0/private/Balance: refused."""
    sign_in(client, owner)
    response = client.post("/0/private/Balance", {"nonce": "1"}, content_type="application/x-www-form-urlencoded")
    assert only_error(Wire.read(response)) in (INVALID_KEY, "EAPI:Bad request")
    response = client.post(
        "/0/private/Balance", b"nonce=1", content_type="application/x-www-form-urlencoded", secure=True
    )
    assert only_error(Wire.read(response)) == INVALID_KEY
    assert not response.cookies


def test_a_key_opens_no_page(readonly):
    """AP-13: API keys open no page, whatever else is sent: who comes with one reads that there is nothing."""
    nonce = str(next_nonce())
    body = f"nonce={nonce}".encode()
    headers = {"API-Key": readonly.bot.public, "API-Sign": sign(readonly.bot.secret, "/inbox/", nonce, body)}
    response = readonly.client.get("/inbox/", headers=headers, secure=True)
    assert (response.status_code, response.json()) == (404, {"error": ["EGeneral:Unknown method"]})
    assert not response.cookies
