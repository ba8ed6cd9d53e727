"""Two workers, and two windows of one author, at the same moment, on two real connections."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.db import connection

from policies.models import Replay
from policies.replay import runs
from policies.rules.language import Rule
from portal.core.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 5
THREE = (Rule(approvals=3),)


def both(act):
    """What each of two that begin together returned or raised."""
    meeting, came = Barrier(2), []

    def side():
        try:
            with suppress(BrokenBarrierError):
                meeting.wait(PATIENCE_SECONDS)
            came.append(act())
        except Conflict as error:
            came.append(error)
        finally:
            connection.close()

    sides = [Thread(target=side) for _ in range(2)]
    for each in sides:
        each.start()
    for each in sides:
        each.join()
    return came


def test_of_two_workers_one_runs_it(world, ben, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", -1)
    replay = runs.start(author=ben, rules=THREE)
    assert sorted(both(lambda: runs.run(replay.pk))) == [False, True]
    replay.refresh_from_db()
    assert (replay.state, replay.attempts) == ("done", 1)


def test_of_two_windows_one_starts_it(world, ben, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", -1)
    came = both(lambda: runs.start(author=ben, rules=THREE))
    assert sorted(type(each).__name__ for each in came) == ["Conflict", "Replay"]
    assert Replay.objects.count() == 1
