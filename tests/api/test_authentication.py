"""AP-7: the checks of a signed call, in the protocol's order, from the next call on after any change."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import call_limits, lifecycle
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey, Organization, ServiceUser
from portal.api.protocol import signature
from tests.api.calls import Wire, next_nonce, only_error, sign

INVALID_KEY = "EAPI:Invalid key"
INVALID_SIGNATURE = "EAPI:Invalid signature"
INVALID_NONCE = "EAPI:Invalid nonce"

pytestmark = pytest.mark.django_db


def change_bot(wire: Wire, **values: object) -> None:
    """What an approved change of the Service User does to its row and its keys."""
    ServiceUser.objects.filter(pk=wire.bot.service_user.pk).update(**values)
    lifecycle.touch(wire.bot.service_user)


def change_key(wire: Wire, **values: object) -> None:
    ApiKey.objects.filter(pk=wire.bot.key.pk).update(**values)
    lifecycle.touch(wire.bot.service_user)


def high(wire: Wire) -> int:
    return ApiKey.objects.get(pk=wire.bot.key.pk).last_nonce


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


def test_use_is_noted_with_time_and_address(readonly):
    readonly.source = "192.0.2.44"
    readonly.result("Balance")
    key = ApiKey.objects.get(pk=readonly.bot.key.pk)
    assert key.last_used_ip == "192.0.2.44"
    assert key.last_used_at is not None


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
