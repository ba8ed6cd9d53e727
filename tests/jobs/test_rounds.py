"""What never ends runs beside everything else, in a thread of its own, until the worker is told to stop."""

from threading import Event, Thread, current_thread

import pytest

from portal.jobs import periodic, rounds, worker
from portal.jobs.periodic import PeriodicTask
from portal.jobs.rounds import Round

pytestmark = pytest.mark.django_db(transaction=True)
LONG_SECONDS = 20


@pytest.fixture
def at_work(monkeypatch):
    """A worker with these rounds and one duty."""
    found, threads = worker.Worker(), []

    def begin(*steps, duty=lambda: None) -> None:
        monkeypatch.setattr(
            rounds, "all_rounds", lambda: tuple(Round(f"tests {number}", step) for number, step in enumerate(steps))
        )
        monkeypatch.setattr(periodic, "all_tasks", lambda: (PeriodicTask("tests.duty", 1, duty),))
        threads.append(Thread(target=found.run))
        threads[0].start()

    yield begin
    found._is_told_to_stop = True
    threads[0].join(LONG_SECONDS)
    assert not threads[0].is_alive()


def test_one_that_hangs_holds_up_no_duty_and_no_other(at_work):
    hangs, let_go, other, duty = Event(), Event(), Event(), Event()

    def hang() -> bool:
        hangs.set()
        return let_go.wait(LONG_SECONDS)

    def go() -> bool:
        if hangs.is_set():
            other.set()
        return False

    at_work(hang, go, duty=duty.set)
    assert hangs.wait(LONG_SECONDS)
    assert duty.wait(LONG_SECONDS)
    assert other.wait(LONG_SECONDS)
    let_go.set()


def test_one_that_fails_goes_on(at_work, caplog):
    again, names = Event(), []

    def fail() -> bool:
        names.append(current_thread().name)
        if len(names) > 1:
            again.set()
        raise ZeroDivisionError

    at_work(fail)
    assert again.wait(LONG_SECONDS)
    assert set(names) == {"tests 0"}
    assert "A round of tests 0 failed" in caplog.text


def test_the_one_that_sends_withdrawals_is_known():
    assert "withdrawals" in [each.name for each in rounds.all_rounds()]


def test_once_goes_round_once(monkeypatch):
    monkeypatch.setattr(rounds, "all_rounds", lambda: (Round("a", lambda: True), Round("b", lambda: False)))
    assert rounds.run_once() == 1
