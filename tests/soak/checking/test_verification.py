"""The verifier itself: what is lost, doubled, swapped or somebody else's is found, and nothing else is."""

import json
import math
from decimal import Decimal

import pytest

from tests.soak.checking.sessions import Frame, Session
from tests.soak.checking.verification import Channel, Expected, faults

OURS, THEIRS = 1, 2
BEGAN = 1000.0


def channel(count=6):
    """So many movements of one dollar each, a second apart; what the journal of the Account says."""
    rows = [
        Expected(f"L{place}", BEGAN + place, {"amount": Decimal(1), "balance": Decimal(place + 1)})
        for place in range(count)
    ]
    return Channel(
        "balances",
        rows,
        state=lambda place: {"USD": Decimal(place)} if place else {},
        key=lambda row: row["ledger_id"],
        read_snapshot=lambda told: {row["asset"]: row["balance"] for row in told if row["balance"]},
    )


def owners(count=6):
    return {f"L{place}": OURS for place in range(count)} | {"F1": THEIRS}


def snapshot(balance):
    return {"channel": "balances", "type": "snapshot", "data": [{"asset": "USD", "balance": balance}]}


def update(place, **other):
    row = {"ledger_id": f"L{place}", "amount": 1, "balance": place + 1, **other}
    return {"channel": "balances", "type": "update", "data": [row]}


def session(*said, at=BEGAN + 1.5, began_at=BEGAN + 1.5, ended_at=math.inf):
    """What a socket was told, its messages numbered from one as they should be."""
    frames = [Frame(at + place, json.dumps({"sequence": place + 1, **frame})) for place, frame in enumerate(said)]
    return Session(7, OURS, "stream 1", began_at, frames, ended_at)


def words(one):
    return [fault.words for fault in faults(one, channel(), owners())]


def whole():
    """From after the second movement to the last."""
    return [snapshot(2), *(update(place) for place in range(2, 6))]


def test_what_happened_is_found_right():
    assert words(session(*whole())) == []


def test_what_had_happened_before_is_not_asked_for():
    assert words(session(snapshot(6), at=BEGAN + 9, began_at=BEGAN + 9)) == []


def test_an_event_that_was_lost_is_found():
    said = whole()
    del said[2]
    assert words(session(*said)) == ["L4 comes where L3 follows: lost or late: ['L3']"]


def test_the_first_event_lost_is_found():
    said = whole()
    del said[1]
    assert words(session(*said)) == ["L3 comes where L2 follows: lost or late: ['L2']"]


def test_the_last_event_lost_is_found():
    assert words(session(*whole()[:-1])) == ["lost, or not told until the end: ['L5'] (1)"]


def test_what_comes_shortly_before_the_end_of_a_socket_need_not_have_been_told():
    assert words(session(*whole()[:-1], ended_at=BEGAN + 10)) == []
    assert words(session(*whole()[:-1], ended_at=BEGAN + 60)) == ["lost, or not told until the end: ['L5'] (1)"]


def test_an_event_that_is_doubled_is_found():
    said = whole()
    assert words(session(*said[:3], said[2], *said[3:])) == ["L3 is doubled"]


def test_an_event_that_the_snapshot_had_in_it_is_found():
    assert words(session(snapshot(2), update(1), *whole()[1:])) == ["L1 was in the snapshot already"]


def test_two_events_that_are_swapped_are_found():
    said = whole()
    said[2], said[3] = said[3], said[2]
    assert words(session(*said)) == [
        "L4 comes where L3 follows: lost or late: ['L3']",
        "L3 comes where L5 follows: it is out of order",
    ]


def test_an_event_of_another_account_is_found():
    said = whole()
    said.insert(2, update(0, ledger_id="F1"))
    assert words(session(*said)) == [f"F1 is of Account {THEIRS}"]


def test_an_event_of_another_account_is_found_behind_a_snapshot_that_cannot_be():
    found = words(session(snapshot(99), update(0, ledger_id="F1")))
    assert found[0].startswith("the snapshot")
    assert found[1:] == [f"F1 is of Account {THEIRS}"]


def test_an_event_that_never_happened_is_found():
    said = whole()
    said.insert(2, update(9))
    assert words(session(*said)) == ["L9 never happened"]


def test_another_amount_is_found():
    said = whole()
    said[1] = update(2, balance=4)
    assert words(session(*said)) == ["L2 says otherwise: balance is 4, not Decimal('3')"]


@pytest.mark.parametrize("balance", [1, 3, 99])
def test_a_snapshot_that_is_not_of_its_place_is_found(balance):
    """Too old, too new, or never so."""
    assert words(session(snapshot(balance), *whole()[1:], began_at=BEGAN + 7.5))


def test_a_gap_in_the_sequence_is_found():
    said = whole()
    said[3] = {**said[3], "sequence": 5}
    assert words(session(*said)) == ["the sequence is 5 where 4 follows"]


def test_updates_without_a_snapshot_are_found():
    assert words(session(*whole()[1:])) == ["it does not begin with a snapshot"]


def test_a_fault_shows_the_frames_around_it():
    said = whole()
    del said[2]
    (fault,) = faults(session(*said), channel(), owners())
    assert "  > 2:" in str(fault)
    assert "L2" in str(fault)
    assert "socket 7 of Account 1 at stream 1" in str(fault)
