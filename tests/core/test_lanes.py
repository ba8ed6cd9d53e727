"""Lanes: one holder at a time among threads and processes, and free when the holder is gone."""

import hashlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from portal.core.errors import Busy
from portal.core.lanes import lane
from tests.venues.conftest import together

pytestmark = pytest.mark.django_db(transaction=True)
HOLDS_AND_DIES = """
import fcntl, os, sys, time
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def test_nobody_is_in_a_lane_together():
    inside: list[int] = []
    most: list[int] = []

    def enter() -> None:
        with lane("one", seconds=20):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    assert together(*[enter] * 6) == [None] * 6
    assert most == [1] * 6


def test_lanes_of_other_names_are_free():
    with lane("one", seconds=1):
        held: list[str] = []

        def other() -> None:
            with lane("two", seconds=0):
                held.append("two")

        assert together(other) == [None]
        assert held == ["two"]


def test_who_waits_in_vain_is_told_so():
    with lane("one", seconds=1):

        def late() -> None:
            with lane("one", seconds=0.05):
                raise AssertionError("two are in it")

        (told,) = together(late)
    assert isinstance(told, Busy)


def test_a_lane_is_free_again_after_an_error_in_it():
    with pytest.raises(ZeroDivisionError), lane("one", seconds=1):
        _ = 1 / 0

    def next_one() -> None:
        with lane("one", seconds=0):
            pass

    assert together(next_one) == [None]


def test_a_holder_that_is_gone_leaves_its_lane():
    entered, left = threading.Event(), threading.Event()

    def hold() -> None:
        with lane("one", seconds=1):
            entered.set()
            left.wait(20)
            # Its connection breaks: what holds the lane is gone with it.
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(20)
    left.set()
    holder.join()
    with lane("one", seconds=1):
        pass


def test_a_process_that_is_killed_leaves_its_lane():
    """On SQLite's machine the lane is a lock of a file, which the system takes from the dead."""
    if connection.vendor != "sqlite":
        return
    with lane("to be killed", seconds=1):
        pass
    path = Path(settings.VAR, "lanes", hashlib.sha256(b"to be killed").hexdigest()[:32])
    holder = subprocess.Popen([sys.executable, "-c", HOLDS_AND_DIES, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Busy), lane("to be killed", seconds=0.05):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with lane("to be killed", seconds=5):
        pass
