"""What is counted of a key on a socket: requests by kind, refusals with their reason, and that it is in use."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import Reason, explain
from accounts.api_keys.streaming import sockets, use
from accounts.api_keys.streaming.sockets import Held
from accounts.api_keys.usage_report import KINDS, calls_of
from accounts.models import ApiKey, RefusedCall
from tests.accounts.conftest import called

pytestmark = pytest.mark.django_db


def test_sockets_and_channels_are_counted_by_day_beside_the_calls(credential, streaming_bot):
    for _ in range(3):
        use.count(credential.public, timezone.now())
    usage.count(credential.public, "Orders", timezone.now())
    usage.flush()
    (day,) = calls_of([streaming_bot.key])[streaming_bot.key.pk].days
    assert dict(zip(KINDS, day.calls, strict=True)) == {
        "Queries": 0,
        "Funding": 0,
        "Orders": 1,
        "Earn": 0,
        "Streaming": 3,
    }


@pytest.mark.parametrize(
    "reason",
    [Reason.TOKEN_UNKNOWN, Reason.TOKEN_EXPIRED, Reason.TOKEN_OF_OTHER, Reason.SOCKETS, Reason.STREAM_OFF],
)
def test_a_refusal_is_explained_to_the_author_of_the_bot(credential, reason):
    usage.refused(
        credential.public,
        method="subscribe",
        answer="EAPI:Invalid token",
        reason=reason,
        facts={},
        source="203.0.113.9",
        at=timezone.now(),
    )
    usage.flush()
    call = RefusedCall.objects.get()
    told = explain(call)
    assert (call.method, call.answer, call.reason) == ("subscribe", "EAPI:Invalid token", reason)
    assert told.what != call.answer
    assert told.advice


def held(credential) -> Held:
    return Held(1, credential.id, credential.service_user_id, "203.0.113.9", timezone.now())


def test_a_key_with_an_open_socket_is_in_use_though_nothing_is_asked_of_it(credential):
    """K6: it would be announced as unused otherwise, after ninety days of listening."""
    sockets.seen("here", [held(credential)])
    key = ApiKey.objects.get(pk=credential.id)
    assert key.last_used_at is not None
    assert (key.last_used_ip, key.last_used_method) == ("203.0.113.9", "/v2")
    assert key.version == credential.version


def test_that_it_is_in_use_is_written_every_few_minutes(credential, django_assert_num_queries):
    began = timezone.now()
    with time_machine.travel(began, tick=False):
        sockets.seen("here", [held(credential)])
    with time_machine.travel(began + timedelta(minutes=4), tick=False):
        sockets.seen("here", [held(credential)])
        assert ApiKey.objects.get(pk=credential.id).last_used_at == began
    later = began + timedelta(minutes=6)
    with time_machine.travel(later, tick=False):
        sockets.seen("here", [held(credential)])
        assert ApiKey.objects.get(pk=credential.id).last_used_at == later


@pytest.mark.django_db(transaction=True)
def test_what_is_noted_of_sockets_never_waits_for_a_call_nor_undoes_its_nonce(race, streaming_bot, credential):
    """spend ∥ last use: on PostgreSQL a row that is being counted is left for the next time."""
    nonces = iter(range(1, 1000))

    def act(number: int) -> object:
        if number % 2:
            return [called(streaming_bot.public, 5000 + next(nonces)) for _ in range(5)]
        for minutes in range(5):
            use.last_used({credential.id: "203.0.113.9"}, timezone.now() + timedelta(minutes=10 * minutes))
        return None

    answers = race(act, 6)
    assert not [answer for answer in answers if isinstance(answer, Exception)], (connection.vendor, answers)
    assert ApiKey.objects.get(pk=credential.id).last_nonce == 5015
