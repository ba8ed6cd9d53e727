"""What processors worked for somebody between two moments, by thread."""

import os
from pathlib import Path
from threading import Thread
from time import thread_time

import pytest

from benchmarks.ground.resources import seconds_between, seconds_by_thread


def test_who_has_ended_meanwhile_takes_nothing_off_what_the_others_worked():
    assert seconds_between({1: 5.0, 2: 7.0}, {1: 5.5}) == 0.5


def test_who_has_begun_meanwhile_counts_from_the_beginning():
    assert seconds_between({1: 5.0}, {1: 5.5, 2: 0.25}) == 0.75


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux alone counts it")
def test_each_thread_of_a_process_is_counted():
    def work() -> None:
        while thread_time() < 0.05:
            pass
        worked.append(seconds_by_thread([os.getpid()]))

    worked: list[dict[int, float]] = []
    before = seconds_by_thread([os.getpid()])
    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert thread.native_id in worked[0]
    assert seconds_between(before, worked[0]) >= 0.04
