"""Refused calls leave their trace, however many there are (security AU-2)."""

import pytest
import time_machine
from django.db import OperationalError, connection

from portal.api.limits import refusal_events
from portal.audit.models import AuditEvent
from tests.api.calls import only_error

pytestmark = pytest.mark.django_db


def refused(**fields):
    return AuditEvent.objects.filter(kind="call.refused", **fields)


def _badly_signed(wire):
    return only_error(wire.read(wire.send("Balance", b"nonce=1", nonce="1", signature="AAAA")))


def test_a_permission_that_is_missing_is_in_the_history_of_the_organization(trading, world):
    """AU-2: denied permission is recorded."""
    assert trading.error("Withdraw", asset="XBT", key="btc-cold", amount="1") == "EGeneral:Permission denied"
    event = refused().get()
    assert event.organization == world.organization
    assert event.outcome == "refused"
    assert event.data["bot"] == "trading-bot"
    assert event.data["method"] == "Withdraw"
    assert event.data["answer"] == "EGeneral:Permission denied"
    assert event.source


def test_a_flood_of_bad_signatures_is_one_event_a_minute(readonly, world):
    """AU-2: refusals before the signature passes are counted per key, source and minute."""
    with time_machine.travel("2026-03-01 12:00:01Z", tick=False) as clock:
        for _ in range(5):
            assert _badly_signed(readonly) == "EAPI:Invalid signature"
        assert refused(organization=world.organization).count() == 1
        clock.shift(60)
        _badly_signed(readonly)
    assert refused(organization=world.organization).count() == 2


def test_all_addresses_of_one_network_are_one_source(readonly, world):
    """AU-2: whoever holds a whole IPv6 network must not fill the history with its addresses."""
    with time_machine.travel("2026-03-01 12:00:01Z", tick=False):
        for number in range(5):
            readonly.source = f"2001:db8::{number:x}"
            assert _badly_signed(readonly) == "EAPI:Invalid signature"
        readonly.source = "2001:db8:1::1"
        _badly_signed(readonly)
    assert refused(organization=world.organization).count() == 2


def test_inventing_keys_writes_no_more_events(readonly, world):
    with time_machine.travel("2026-03-01 12:00:01Z", tick=False):
        for letter in "ABCDE":
            answer = readonly.send("Balance", b"nonce=1", nonce="1", key=letter * 56)
            assert only_error(readonly.read(answer)) == "EAPI:Invalid key"
    assert refused(organization=None).count() == 1
    assert not refused(organization=world.organization).exists()


def test_a_history_that_takes_nothing_spoils_no_answer(readonly, caplog):
    """AU-2: whoever called learns why it was refused, and the operator that the trace is missing."""

    def full(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "audit_auditevent" in sql:
            raise OperationalError("disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        assert _badly_signed(readonly) == "EAPI:Invalid signature"
    assert "A refused call could not be recorded" in caplog.text
    assert not refused().exists()


def test_what_is_remembered_of_a_minute_is_bounded(readonly, world, monkeypatch):
    """Whoever asks from many addresses fills no memory: the oldest is forgotten first, and noted anew."""
    monkeypatch.setattr(refusal_events, "REMEMBERED", 2)
    with time_machine.travel("2026-03-01 12:00:01Z", tick=False):
        for number in (1, 2, 3, 3, 2, 1):
            readonly.source = f"192.0.2.{number}"
            _badly_signed(readonly)
    assert len(refusal_events._minutes) == 2
    sources = refused(organization=world.organization).order_by("sequence").values_list("source", flat=True)
    assert list(sources) == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"]
