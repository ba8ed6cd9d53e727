"""What is counted of a key's calls, how it is written, and how long it is kept (DESIGN K6, hot path §3)."""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import Reason, clock_of, explain
from accounts.api_keys.usage_report import calls_of
from accounts.models import KeyUse, RefusedCall
from portal.api.protocol.envelope import Error

NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def refuse(public, *, reason=Reason.SIGNATURE, at=NOON, source="192.0.2.1", method="Balance", **facts):
    usage.refused(
        public,
        method=method,
        answer="EAPI:Invalid signature",
        reason=reason,
        facts=facts,
        source=source,
        at=at,
    )


@pytest.mark.django_db
def test_calls_are_added_up_by_day_and_kind(django_assert_num_queries, trading_bot):
    with django_assert_num_queries(0):
        for _ in range(3):
            usage.count(trading_bot.public, "Queries", NOON)
        usage.count(trading_bot.public, "Orders", NOON)
        usage.count(trading_bot.public, "Queries", NOON + timedelta(days=1))
    usage.flush()
    usage.count(trading_bot.public, "Queries", NOON)
    usage.flush()
    usage.flush()
    found = set(KeyUse.objects.values_list("api_key", "day", "kind", "refused", "calls"))
    assert found == {
        (trading_bot.key.pk, NOON.date(), "Queries", False, 4),
        (trading_bot.key.pk, NOON.date(), "Orders", False, 1),
        (trading_bot.key.pk, NOON.date() + timedelta(days=1), "Queries", False, 1),
    }


@pytest.mark.django_db
def test_a_flush_takes_as_many_statements_for_many_calls_as_for_few(django_assert_max_num_queries, trading_bot):
    for kind in ("Queries", "Orders", "Funding"):
        for _ in range(50):
            usage.count(trading_bot.public, kind, NOON)
    with django_assert_max_num_queries(6):
        usage.flush()


@pytest.mark.django_db
def test_the_same_refusal_within_a_second_is_one_row(trading_bot):
    for _ in range(7):
        refuse(trading_bot.public)
    refuse(trading_bot.public, source="192.0.2.2")
    usage.flush()
    rows = RefusedCall.objects.filter(api_key=trading_bot.key).values_list("source", "times")
    assert set(rows) == {("192.0.2.1", 7), ("192.0.2.2", 1)}
    assert KeyUse.objects.get(refused=True).calls == 8


@pytest.mark.django_db
def test_the_last_hundred_of_each_key_are_kept(trading_bot, readonly_bot):
    refuse(readonly_bot.public)
    for number in range(250):
        refuse(trading_bot.public, source=f"192.0.2.{number}", at=NOON + timedelta(seconds=number))
        if number % 60 == 0:
            usage.flush()
    usage.flush()
    kept = RefusedCall.objects.filter(api_key=trading_bot.key).order_by("pk")
    assert [row.source for row in kept] == [f"192.0.2.{number}" for number in range(150, 250)]
    assert RefusedCall.objects.filter(api_key=readonly_bot.key).count() == 1


@pytest.mark.django_db
def test_counts_are_kept_for_ninety_days(trading_bot):
    usage.count(trading_bot.public, "Queries", NOON)
    with time_machine.travel(NOON, tick=False):
        usage.flush()
    with time_machine.travel(NOON + timedelta(days=89), tick=False):
        usage.count(trading_bot.public, "Queries", timezone.now())
        usage.flush()
        assert len(calls_of([trading_bot.key])[trading_bot.key.pk].days) == 2
    with time_machine.travel(NOON + timedelta(days=90), tick=False):
        usage.count(trading_bot.public, "Queries", timezone.now())
        usage.flush()
    assert KeyUse.objects.count() == 2


@pytest.mark.django_db
def test_strangers_fill_nothing(monkeypatch, trading_bot):
    monkeypatch.setattr(usage, "MOST_KEYS", 3)
    for key in ("", "x", "é" * 56, "\0" * 56, *(f"{number:056}" for number in range(10))):
        refuse(key)
    assert len(usage._pending) == 3
    usage.count(trading_bot.public, "Queries", NOON)
    usage.flush()
    assert KeyUse.objects.get().api_key == trading_bot.key
    assert not RefusedCall.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_lose_nothing(race, trading_bot, readonly_bot):
    """Two nodes: each adds to what the other wrote."""

    def write(_number):
        taken = {
            bot.public: usage._Use(Counter({(NOON.date(), "Queries", False): 5})) for bot in (trading_bot, readonly_bot)
        }
        usage._write(taken)

    assert race(write, 8) == [None] * 8
    assert [row.calls for row in KeyUse.objects.all()] == [40, 40]


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_beside_the_calls(monkeypatch, settings, trading_bot):
    """And what is left is written when the process ends."""
    left: list[object] = []

    def once():
        usage._write_once()
        connection.close()

    monkeypatch.setattr(usage, "_writer", None)
    monkeypatch.setattr(usage, "_write_on", once)
    monkeypatch.setattr(usage, "Finalize", lambda _, act, exitpriority: left.append(act))
    settings.KEY_USE_WRITTEN_EVERY = 0.01
    usage.count(trading_bot.public, "Queries", NOON)
    writer = usage._writer
    assert writer is not None
    assert writer.daemon
    writer.join(20)
    assert KeyUse.objects.get().calls == 1
    assert left == [usage.flush]


@pytest.mark.parametrize(
    ("nonce", "clock"),
    [
        ("1764183600", "seconds"),
        ("1764183600000", "milliseconds"),
        ("176418360000000000", "10 nanoseconds"),
        ("1764183600000000000", "nanoseconds"),
        ("7", ""),
    ],
)
def test_a_nonce_tells_its_clock(nonce, clock):
    assert clock_of(nonce) == clock


def told(reason, **facts) -> str:
    words = explain(RefusedCall(reason=reason, facts=facts, source="192.0.2.9", answer="E"))
    return f"{words.what} {words.advice}".strip()


def test_every_reason_has_words():
    for reason in Reason:
        if reason is not Reason.NO_KEY:
            assert len(told(reason)) > 10, reason
    assert told("of a later version") == "E"


def test_a_lower_nonce_is_decoded_for_its_author():
    """The key was used by a client with a finer clock."""
    text = told("nonce_used", nonce="1764183600000", high="176418360000000000")
    assert "Nonce 1764183600000 is lower than 176418360000000000" in text
    assert "this key was used by a client with a finer clock (10 nanoseconds instead of milliseconds)" in text
    assert "Two programs share this key" in told("nonce_used", nonce="1764183600000", high="1764183600001")
    assert "was used by the call before" in told("nonce_used", nonce="7", high="7")
    assert "comes so late" in told("nonce_used", nonce="6", high="7", in_window="yes")


def test_every_answer_of_the_protocol_can_be_counted_and_kept(db, trading_bot):
    """fault operations-F1, fault security-H4: the longest ones froze the statistics of all keys of their process."""
    for error in Error:
        usage.refused(
            trading_bot.public,
            method="Earn/DeallocateStatus",
            answer=error.value,
            reason=Reason.RULE,
            facts={},
            source="2001:db8:1111:2222:3333:4444:5555:6666",
            at=NOON,
        )
    usage.flush()
    assert set(KeyUse.objects.values_list("kind", flat=True)) == set(Error)
    assert set(RefusedCall.objects.values_list("answer", flat=True)) == set(Error)
