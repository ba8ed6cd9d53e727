"""The connection that each thread keeps at hand, and what is done to it between two calls."""

from threading import Thread

import pytest
from django.db import DatabaseError, close_old_connections, connection, connections

from portal.core.database import at_hand
from portal.core.database.at_hand import hand, tidy
from portal.core.database.prepared import fetch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def looked_after(monkeypatch) -> list[str]:
    noted: list[str] = []

    def look() -> None:
        noted.append("looked")
        close_old_connections()

    monkeypatch.setattr(at_hand, "close_old_connections", look)
    return noted


def test_each_thread_has_its_own(db):
    seen = []

    def look() -> None:
        seen.append(hand.wrapper)
        hand.wrapper.close()

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert hand.wrapper is connections["default"]
    assert seen != [hand.wrapper]
    with pytest.raises(AttributeError):
        _ = hand.something_else


def test_what_is_sound_is_left_alone(looked_after):
    assert fetch("SELECT 1 WHERE %(a)s = %(a)s", {"a": 1}) == [(1,)]
    before = connection.connection
    vars(hand.wrapper)["health_check_done"] = True
    tidy()
    assert connection.connection is before
    # The ORM's next statement asks again whether the server is still there.
    assert vars(hand.wrapper)["health_check_done"] is False
    assert looked_after == []


def test_what_had_an_error_is_looked_at(looked_after):
    with pytest.raises(DatabaseError):
        fetch("SELECT nothing FROM nowhere", {})
    assert hand.wrapper.errors_occurred
    tidy()
    assert looked_after == ["looked"]
    assert vars(hand.wrapper)["errors_occurred"] is False
    assert fetch("SELECT 1", {}) == [(1,)]


def test_what_has_had_its_time_is_closed(looked_after):
    fetch("SELECT 1", {})
    connection.close_at = 0
    tidy()
    assert looked_after == ["looked"]
    assert connection.connection is None
    tidy()
    assert fetch("SELECT 1", {}) == [(1,)]


def test_what_was_left_in_a_transaction_is_closed(looked_after):
    fetch("SELECT 1", {})
    connection.set_autocommit(False)
    tidy()
    assert connection.connection is None
    assert fetch("SELECT 1", {}) == [(1,)]
