"""Lanes: whoever holds one is alone in it, among all threads and processes, also while no transaction is open.

For calls to others that may not overlap, and must not hold a transaction open while they wait. PostgreSQL keeps the
lane for the connection, SQLite's machine a lock of a file beside the database. Either way it is free when its holder
dies. A connection that is lost loses the lane with it: what is sent must bear a second holder, who comes later.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import connection

from portal.core.database.locks import number_of
from portal.core.errors import Busy
from portal.core.observing.meters import Counter, Histogram

FIRST_PAUSE: Final = 0.002
LONGEST_PAUSE: Final = 0.05
WAITED: Final = Histogram("countersign_lane_wait_seconds", "How long a call waited for the lane that it was alone in.")
GIVEN_UP: Final = Counter("countersign_lane_timeouts_total", "Calls that waited for their lane in vain.")


@contextmanager
def lane(name: str, *, seconds: float) -> Iterator[None]:
    """Be alone in the lane of that name, after waiting for it for `seconds` at most.

    Raises: Busy if somebody else holds it for longer.
    """
    entered = _of_database(name, seconds) if connection.vendor == "postgresql" else _of_file(name, seconds)
    with entered:
        yield


@contextmanager
def _of_database(name: str, seconds: float) -> Iterator[None]:
    number, began = number_of(f"lane:{name}"), time.monotonic()
    for _ in _tries(name, seconds):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
            (has_it,) = cursor.fetchone()
        if has_it:
            break
    WAITED.observe(time.monotonic() - began)
    held_by = connection.connection
    try:
        yield
    finally:
        # Another connection by now: the one that held the lane is gone, and the lane with it.
        if connection.connection is held_by and held_by is not None and not held_by.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


@contextmanager
def _of_file(name: str, seconds: float) -> Iterator[None]:
    folder = settings.VAR / "lanes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / hashlib.sha256(name.encode()).hexdigest()[:32]
    handle, began = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), time.monotonic()
    try:
        for _ in _tries(name, seconds):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            break
        WAITED.observe(time.monotonic() - began)
        yield
    finally:
        os.close(handle)


def _tries(name: str, seconds: float) -> Iterator[None]:
    """One for each look, with growing pauses between them."""
    began, pause = time.monotonic(), FIRST_PAUSE
    while True:
        yield
        left = began + seconds - time.monotonic()
        if left <= 0:
            GIVEN_UP.add()
            raise Busy(f"Somebody else holds the lane {name}.")
        time.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
