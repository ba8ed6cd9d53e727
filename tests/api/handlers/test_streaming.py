"""GetWebSocketsToken: what it answers, to whom, what is counted of it, and what nobody reads of it."""

import logging

import pytest

from accounts.api_keys import usage
from accounts.api_keys.streaming import tokens
from accounts.models import ApiKey, KeyUse, RefusedCall, StreamToken
from portal.core.secrets.log_redaction import redacted
from tests.api.calls import Wire
from tests.api.changed_bots import change_bot, change_key

pytestmark = pytest.mark.django_db
METHOD = "GetWebSocketsToken"
DENIED = "EGeneral:Permission denied"


@pytest.fixture
def streaming(trading: Wire) -> Wire:
    change_bot(trading, websocket=True)
    return trading


def test_the_answer_is_a_token_of_the_calling_key(streaming):
    answer = streaming.result(METHOD)
    assert answer == {"token": answer["token"], "expires": 900}
    found = tokens.find(answer["token"])
    assert found is not None
    assert found.public == streaming.bot.public


def test_each_call_brings_another_token_and_the_earlier_ones_stay_good(streaming):
    """Clients ask for one before each socket, some before each command."""
    first, second = (streaming.result(METHOD)["token"] for _ in range(2))
    assert first != second
    assert tokens.find(first) is not None
    assert tokens.find(second) is not None


def test_json_and_fields_that_it_does_not_know_are_taken(streaming):
    assert streaming.ask_json(METHOD, {"otp": "1", "something": "else"})["result"]["expires"] == 900


def test_without_the_setting_nothing_is_given_out_whatever_else_the_key_may_do(treasury):
    assert treasury.error(METHOD) == DENIED
    assert not StreamToken.objects.exists()
    usage.flush()
    call = RefusedCall.objects.get()
    assert (call.reason, call.facts["needs"]) == ("permission", "the WebSocket setting")


def test_the_setting_alone_is_enough(readonly):
    change_bot(readonly, websocket=True, permissions=[])
    assert tokens.find(readonly.result(METHOD)["token"])
    change_bot(readonly, websocket=False)
    assert readonly.error(METHOD) == DENIED


def test_a_key_that_may_not_call_gets_none(streaming):
    change_bot(streaming, ip_allow_list=["198.51.100.0/24"])
    assert streaming.error(METHOD) == "EAPI:Invalid key"
    change_bot(streaming, ip_allow_list=[])
    change_key(streaming, is_active=False)
    assert streaming.error(METHOD) == "EAPI:Invalid key"
    assert not StreamToken.objects.exists()


def test_a_nonce_buys_one_token(streaming):
    nonce = 2**60
    assert streaming.ask(METHOD, nonce=nonce)["error"] == []
    assert streaming.ask(METHOD, nonce=nonce)["error"] == ["EAPI:Invalid nonce"]
    assert StreamToken.objects.count() == 1


def test_it_costs_a_call_and_is_counted_as_streaming(streaming, settings):
    settings.API_LIMITS = True
    streaming.result(METHOD)
    assert ApiKey.objects.get(pk=streaming.bot.key.pk).calls == pytest.approx(1.0)
    usage.flush()
    assert list(KeyUse.objects.values_list("kind", "calls", "refused")) == [("Streaming", 1, False)]


def test_the_token_stands_in_no_line_of_the_log(streaming, caplog):
    """SE-4: at whatever level, and if somebody wrote the answer there."""
    caplog.set_level(logging.DEBUG)
    token = streaming.result(METHOD)["token"]
    assert token not in caplog.text
    assert token not in redacted(f"Unexpected frame: {{'method': 'subscribe', 'params': {{'token': '{token}'}}}}")
