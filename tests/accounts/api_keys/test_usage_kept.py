"""What was counted of a key's calls while the database was away, or would not take it (hot path §3)."""

import pytest
from django.db import OperationalError

from accounts.api_keys import usage
from accounts.models import KeyUse, RefusedCall
from tests.accounts.api_keys.test_usage import NOON, refuse

pytestmark = pytest.mark.django_db


def test_what_could_not_be_written_is_kept_for_the_next_time(monkeypatch, caplog, trading_bot):
    def broken(_taken):
        raise OperationalError

    usage.count(trading_bot.public, "Queries", NOON)
    with monkeypatch.context() as patch:
        patch.setattr(usage, "_write", broken)
        usage.flush()
    assert "could not be written yet" in caplog.text
    usage.count(trading_bot.public, "Queries", NOON)
    usage.flush()
    assert KeyUse.objects.get().calls == 2


def test_what_the_database_refuses_is_dropped_alone_and_said_once(caplog, trading_bot, readonly_bot):
    """fault operations-F1, fault security-H4: one key's row that cannot be written stops no other key, nor itself."""
    for _ in range(3):
        usage.count(readonly_bot.public, "Queries", NOON)
        refuse(trading_bot.public, method="m" * 41)
        usage.flush()
    assert not usage._pending
    assert KeyUse.objects.get().calls == 3
    (line,) = [record for record in caplog.records if record.name == "accounts.api_keys.usage"]
    assert "is dropped" in line.message
    assert line.exc_info is None
    usage.count(trading_bot.public, "Queries", NOON)
    usage.flush()
    assert KeyUse.objects.get(api_key=trading_bot.key).kind == "Queries"


def test_refusals_kept_for_the_next_time_are_joined_with_those_since(monkeypatch, trading_bot):
    def away(_taken):
        raise OperationalError

    refuse(trading_bot.public)
    with monkeypatch.context() as patch:
        patch.setattr(usage, "_write", away)
        refuse(trading_bot.public)
        taken, usage._pending = usage._pending, {}
        refuse(trading_bot.public, source="192.0.2.2")
        refuse(trading_bot.public)
        usage._put_back(taken)
    usage.flush()
    rows = RefusedCall.objects.filter(api_key=trading_bot.key).order_by("pk").values_list("source", "times")
    assert list(rows) == [("192.0.2.2", 1), ("192.0.2.1", 3)]


def test_before_they_are_written_no_more_than_the_last_hundred_refusals_are_kept_either(trading_bot):
    """Whoever sends nonsense while the database is away fills no memory, and the newest are what its author needs."""
    for number in range(150):
        refuse(trading_bot.public, source=f"192.0.2.{number}")
    taken, usage._pending = usage._pending, {}
    for number in range(150, 180):
        refuse(trading_bot.public, source=f"192.0.2.{number}")
    usage._put_back(taken)
    assert len(usage._pending[trading_bot.public].refused) == 100
    usage.flush()
    kept = RefusedCall.objects.filter(api_key=trading_bot.key).order_by("pk").values_list("source", flat=True)
    assert list(kept) == [f"192.0.2.{number}" for number in range(80, 180)]
    assert KeyUse.objects.get(refused=True).calls == 180


def test_where_there_is_room_for_no_more_keys_what_was_kept_is_let_go(monkeypatch, trading_bot, readonly_bot):
    """Memory has an end while the database is away; those that call now are kept before those that called then."""
    monkeypatch.setattr(usage, "MOST_KEYS", 1)
    usage.count(trading_bot.public, "Queries", NOON)
    taken, usage._pending = usage._pending, {}
    usage.count(readonly_bot.public, "Queries", NOON)
    usage._put_back(taken)
    usage.flush()
    assert [use.api_key for use in KeyUse.objects.all()] == [readonly_bot.key]


def test_what_meets_the_database_away_in_the_middle_is_kept(monkeypatch, trading_bot, readonly_bot):
    """One key is refused, and before the next one is written the database is gone: that one waits for it."""
    write = usage._write

    def goes_away(taken):
        if trading_bot.public not in taken:
            raise OperationalError
        write(taken)

    usage.count(readonly_bot.public, "Queries", NOON)
    refuse(trading_bot.public, method="m" * 41)
    with monkeypatch.context() as patch:
        patch.setattr(usage, "_write", goes_away)
        usage.flush()
    assert list(usage._pending) == [readonly_bot.public]
    usage.flush()
    assert KeyUse.objects.get().api_key == readonly_bot.key
