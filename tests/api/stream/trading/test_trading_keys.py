"""What a message needs of its key: permissions, settings, counters; and what of it is written down."""

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.api_keys import call_limits, lifecycle, usage
from accounts.models import ApiKey, KeyUse, RefusedCall, ServiceUser
from portal.api import gateway, permissions
from portal.api.stream import trading as by_socket
from portal.audit.models import AuditEvent
from portal.venues.paper.orders import trading_counter
from portal.venues.paper.orders.trading_counter import Limits
from tests.api.stream.trading.test_add_order import FAR, INVALID

pytestmark = pytest.mark.django_db

DENIED, UNKNOWN_METHOD = "EGeneral:Permission denied", "EGeneral:Unknown method"
NOT_SERVED = ("amend_order", "edit_order", "batch_add", "batch_cancel", "cancel_all_orders_after")
PARAMS: dict[str, dict[str, object]] = {"add_order": FAR, "cancel_order": {"order_id": ["OAAAAA-AAAAA-AAAAAA"]}}


def narrow(messenger, **settings: object) -> None:
    """Change what the key may do behind the back of its open socket."""
    ServiceUser.objects.filter(pk=messenger.bot.service_user.pk).update(**settings)
    lifecycle.touch(messenger.bot.service_user)


@pytest.mark.parametrize("method", by_socket.METHODS)
def test_a_message_needs_what_its_method_needs(messenger, method):
    """Reference §6: the same permission opens both, and no other one does. It counts from the next message."""
    (needed,) = permissions.PERMISSIONS[by_socket.METHODS[method]]
    others = sorted(messenger.credential.permissions - {needed})
    narrow(messenger, permissions=others)
    assert messenger.error(method, **PARAMS.get(method, {})) == DENIED
    usage.flush()
    call = RefusedCall.objects.get(api_key=messenger.bot.key)
    words = permissions.in_words(by_socket.METHODS[method])
    assert (call.method, call.reason, call.facts) == (method, "permission", {"method": method, "needs": words})
    event = AuditEvent.objects.filter(kind="call.refused").latest("pk")
    assert (event.data["method"], event.data["answer"]) == (method, DENIED)
    narrow(messenger, permissions=[needed])
    (answer,) = messenger.answers(method, **PARAMS.get(method, {}))
    assert answer.error != DENIED


@pytest.mark.parametrize("method", NOT_SERVED)
def test_what_is_known_and_not_served_is_refused_for_good(messenger, method):
    assert messenger.error(method, order_id="x") == UNKNOWN_METHOD
    usage.flush()
    call = RefusedCall.objects.get(api_key=messenger.bot.key)
    assert (call.method, call.reason) == (method, "not_served")


def test_what_is_no_message_of_trading_is_unknown(messenger):
    assert messenger.error("add_orders\n") == UNKNOWN_METHOD
    usage.flush()
    assert RefusedCall.objects.get(api_key=messenger.bot.key).method == "unknown"


def test_a_key_that_lost_its_websocket_setting_trades_no_more(messenger):
    narrow(messenger, websocket=False)
    assert messenger.error("add_order", **FAR) == DENIED
    usage.flush()
    facts = RefusedCall.objects.get(api_key=messenger.bot.key).facts
    assert facts == {"method": "add_order", "needs": "the WebSocket setting"}


def test_a_key_bound_to_other_addresses_trades_no_more(messenger):
    narrow(messenger, ip_allow_list=["192.0.2.0/24"])
    assert messenger.error("add_order", **FAR) == "EAPI:Invalid key"
    messenger.source = "192.0.2.7"
    assert messenger.result("add_order", **FAR)["order_id"]
    narrow(messenger, ip_allow_list=[])
    messenger.source = "127.0.0.1"
    assert messenger.result("add_order", **FAR)["order_id"]


@pytest.mark.parametrize("ended", ["revoked", "suspended", "expired"])
def test_a_key_that_works_no_more_trades_no_more(messenger, trading, ended):
    now = timezone.now()
    if ended == "revoked":
        lifecycle.revoke(messenger.bot.key, at=now)
    elif ended == "suspended":
        narrow(messenger, suspended_at=now)
    else:
        ApiKey.objects.filter(pk=messenger.bot.key.pk).update(expires_at=now - timedelta(seconds=1))
        lifecycle.touch(messenger.bot.service_user)
    assert messenger.error("add_order", **FAR) == "EAPI:Invalid key"
    assert messenger.error("cancel_all") == "EAPI:Invalid key"
    assert trading.error("Balance") == "EAPI:Invalid key"


def test_messages_count_on_the_keys_counter_as_calls_do(messenger, trading, settings, monkeypatch):
    """Reference §5: orders and their cancelling cost nothing there, `cancel_all` one."""
    settings.API_LIMITS = True
    monkeypatch.setitem(call_limits.CALLS, "pro", call_limits.Calls(2.0, 0.5))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            assert messenger.error("add_order") == INVALID
            assert messenger.error("cancel_order") == INVALID
        for _ in range(2):
            assert messenger.result("cancel_all") == {"count": 0}
        assert messenger.error("cancel_all") == "EAPI:Rate limit exceeded"
        assert trading.error("Balance") == "EAPI:Rate limit exceeded"
        assert messenger.error("add_order", **FAR) == "EAPI:Rate limit exceeded"
        clock.shift(10)
        assert messenger.result("cancel_all") == {"count": 0}
    usage.flush()
    assert RefusedCall.objects.filter(api_key=messenger.bot.key, reason="calls").exists()


def test_orders_by_socket_and_by_call_fill_the_same_trading_counter(messenger, trading, settings, monkeypatch):
    settings.API_LIMITS = True
    monkeypatch.setitem(trading_counter.LIMITS, "pro", Limits(2000, 1, 225))
    with time_machine.travel(timezone.now(), tick=False):
        messenger.result("add_order", **FAR)
        trading.result("AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume="0.01", price="10000")
        assert messenger.error("add_order", **FAR) == "EOrder:Rate limit exceeded"
        # Cancelling is never refused for it.
        assert messenger.result("cancel_all") == {"count": 2}


def test_a_message_is_the_keys_last_use_and_counts_as_one(messenger):
    messenger.source = "192.0.2.9"
    messenger.result("add_order", **FAR)
    key = ApiKey.objects.get(pk=messenger.bot.key.pk)
    assert (key.last_used_ip, key.last_used_method) == ("192.0.2.9", "add_order")
    usage.flush()
    use = KeyUse.objects.get(api_key=messenger.bot.key)
    assert (use.kind, use.refused, use.calls) == ("Orders", False, 1)


def test_a_database_that_fails_is_told_in_the_protocols_words(messenger, monkeypatch, caplog):
    def fails(*args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(gateway, "carry_out", fails)
    assert messenger.error("add_order", **FAR) == "EService:Unavailable"


def test_an_error_of_ours_is_told_without_its_words(messenger, monkeypatch, caplog):
    def fails(*args: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(gateway, "carry_out", fails)
    assert messenger.error("add_order", **FAR) == "EGeneral:Internal error"
    assert "Unexpected error during 'add_order'" in caplog.text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=30)
    | st.sampled_from(["limit", "buy", "BTC/USD", "gtd", "cancel_newest", "quote", "2030-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
FIELDS = st.sampled_from([*FAR, "time_in_force", "expire_time", "deadline", "cl_ord_id", "order_userref", "post_only",
    "validate", "fee_preference", "stp_type", "margin", "triggers", "display_qty", "reduce_only", "order_id", "token",
]) | st.text(max_size=10)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(list(by_socket.METHODS)),
    params=st.dictionaries(FIELDS, VALUES, max_size=12),
    is_near=st.booleans(),
)
def test_whatever_comes_is_answered_in_the_protocols_words(messenger, caplog, method, params, is_near):
    caplog.clear()
    params = {**FAR, **params, "validate": True} if is_near else params
    answers = by_socket.carry(messenger.credential, method, params, "127.0.0.1")
    assert answers
    assert all(answer.success or answer.error[0] == "E" for answer in answers)
    assert "EGeneral:Internal error" not in {answer.error for answer in answers}
    assert not [record for record in caplog.records if record.exc_info]
