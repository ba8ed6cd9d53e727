"""The straight path and the ordinary road: one table of cases through both, and nobody can tell which it was.

Neither from the answer nor from what is kept of the call: the key's row, its use, its refusals, the counters of failed
calls, the history. How far the straight path goes stands in the table, so that no case passes by not coming there.
"""

from collections.abc import Iterator
from dataclasses import replace
from hmac import HMAC
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api_keys import lifecycle
from portal.api import methods, permissions, straight_path
from portal.api.call import Reply, Tried
from portal.api.protocol import signature
from portal.treasury import expired_holds
from portal.venues.registry import venue
from tests.api.calls import next_nonce
from tests.api.changed_bots import change_bot, change_key, high
from tests.api.limits.road_cases import CASES, SOON
from tests.api.limits.roads import (
    ANSWERS,
    GIVES_UP_JUDGED,
    GIVES_UP_READ,
    GIVES_UP_SPENT,
    KEEPS_OUT,
    SOURCE,
    Roads,
    Sent,
    gone,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def roads(monkeypatch, settings) -> Iterator[Roads]:
    settings.API_LIMITS = True
    settings.API_LOCKOUT_FAILURES, settings.API_FLOOD_MAXIMUM = 3, 6.0
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    found = Roads()
    original, compute = straight_path.answer, signature.compute

    def answer(*given: Any, **named: Any) -> Reply | Tried | None:
        if not found.opened:
            return None
        done = original(*given, **named)
        if isinstance(done, Reply):
            found.went.append(ANSWERS)
        elif done is None:
            found.went.append(KEEPS_OUT)
        elif done.outcome is not None:
            found.went.append(GIVES_UP_SPENT)
        else:
            found.went.append(GIVES_UP_JUDGED if done.credential else GIVES_UP_READ)
        return done

    def computed(keyed: HMAC, *, path: str, nonce: str, body: bytes) -> bytes:
        found.computed.append(path)
        return compute(keyed, path=path, nonce=nonce, body=body)

    monkeypatch.setattr(straight_path, "answer", answer)
    monkeypatch.setattr(signature, "compute", computed)
    with time_machine.travel(timezone.now(), tick=False):
        yield found
    straight_path.forget()


@pytest.mark.parametrize("name", CASES)
def test_both_roads_agree_in_every_byte_and_every_trace(roads, readonly, name):
    far, bend = CASES[name]
    at = next_nonce()
    straight = gone(roads, readonly, bend, at)
    roads.opened = False
    ordinary = gone(roads, readonly, bend, at)
    assert roads.went == [far]
    assert straight == ordinary
    # AP-7: whatever is wrong, the signature is computed as often as on the ordinary road.
    assert len(straight[1]) <= 1


def test_the_answers_of_the_table_are_not_all_the_same(roads, readonly):
    """A table whose cases all fail for one reason would show nothing."""
    answers = {gone(roads, readonly, bend, next_nonce())[0][2][:46] for _, bend in CASES.values()}
    errors = {answer for answer in answers if not answer.startswith(b'{"error":[]')}
    assert len(errors) >= 10, errors
    assert len(answers - errors) >= 2


def test_a_nonce_of_the_straight_path_is_spent_for_the_ordinary_road_and_the_other_way_round(roads, readonly):
    """AP-5: replay, whichever road the first call took."""
    for first in (True, False):
        sent = Sent(readonly)
        roads.opened = first
        assert b'"error":[]' in roads.send(sent)[2]
        for second in (True, False, True):
            roads.opened = second
            assert roads.send(sent)[2] == b'{"error":["EAPI:Invalid nonce"]}'


def test_an_error_after_the_nonce_is_said_by_the_ordinary_road_too(roads, readonly, monkeypatch, caplog):
    roads.send(Sent(readonly))
    served, nonce = methods.PRIVATE["Balance"], next_nonce()
    assert served.along is not None

    def broken(*_: object) -> None:
        raise RuntimeError("the reason")

    monkeypatch.setitem(methods.PRIVATE, "Balance", replace(served, along=replace(served.along, shown=broken)))
    straight_path.forget()
    assert roads.send(Sent(readonly, nonce=str(nonce)))[2] == b'{"error":["EGeneral:Internal error"]}'
    assert high(readonly) == nonce
    assert "the reason" in caplog.text


@pytest.mark.parametrize("error", [OperationalError("gone"), RuntimeError("the reason")])
def test_what_goes_wrong_is_said_by_the_ordinary_road_and_not_tried_again(roads, readonly, monkeypatch, caplog, error):
    roads.send(Sent(readonly))
    tried = []

    def broken(*given: object, **named: object) -> None:
        tried.append(named["nonce"])
        raise error

    monkeypatch.setattr(lifecycle, "spend", broken)
    expected = "EService:Unavailable" if isinstance(error, OperationalError) else "EGeneral:Internal error"
    assert roads.send(Sent(readonly))[2] == f'{{"error":["{expected}"]}}'.encode()
    assert len(tried) == 1
    assert str(error) in caplog.text


def test_a_method_that_is_not_named_as_reading_is_none_of_its_concern(roads, readonly, monkeypatch):
    monkeypatch.setattr(permissions, "READING", frozenset())
    straight_path.forget()
    roads.send(Sent(readonly))
    roads.went.clear()
    assert b'"error":[]' in roads.send(Sent(readonly))[2]
    assert roads.went == [KEEPS_OUT]


def test_what_is_read_along_is_read_for_the_account_of_the_key(roads, readonly, trading):
    """AZ-3: two keys of two Accounts, one after the other on one connection."""
    for wire in (readonly, trading, readonly):
        lifecycle.find(wire.bot.public)
        account_id = wire.bot.service_user.account_id
        expired_holds.release_due(account_id)
        answer = roads.send(Sent(wire))[2]
        for row in venue("paper").balances(account_id):
            assert row.asset.id.encode() in answer


def test_the_ordinary_road_takes_one_statement_too(roads, readonly):
    """A key with an allow-list and an expiry, and a body that says more."""
    change_bot(readonly, ip_allow_list=[SOURCE])
    change_key(readonly, expires_at=SOON)
    roads.send(Sent(readonly))
    text = str(next_nonce())
    with CaptureQueriesContext(connection) as queries:
        assert b'"error":[]' in roads.send(Sent(readonly, nonce=text, body=f"a=1&nonce={text}".encode()))[2]
    assert len(queries) == (1 if connection.vendor == "postgresql" else 2)
    assert roads.went[-1] == KEEPS_OUT


def test_every_method_that_is_read_along_is_one_that_reads():
    along = {name for name, served in methods.PRIVATE.items() if served.along is not None}
    assert along
    assert along <= permissions.READING
    assert not permissions.READING - permissions.PERMISSIONS.keys()
