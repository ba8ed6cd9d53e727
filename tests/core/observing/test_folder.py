"""The folder of measures: nothing goes back, nothing is counted twice, and who is gone leaves no gauge behind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from portal.core.observing import folder

KEY = '["sums", "sums_total", {}, "Sums."]'
GAUGE = '["now", "now", {}, "Now."]'


def counted(place, amount, *, kind="counter", key=KEY):
    kept = MmapedDict(str(place.path / f"{kind}_{place.name}.db"))
    kept.write_value(key, amount, 0.0)
    kept.close()


def told(path):
    with folder.locked(path):
        merged = MultiProcessCollector.merge(folder.files(path))
    return {sample.name: sample.value for metric in merged for sample in metric.samples}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics"


def place(path, amount):
    found = folder.Place(path)
    counted(found, amount)
    counted(found, 1, kind="gauge_livesum", key=GAUGE)
    return found


def test_processes_are_added_up(path):
    here = [place(path, amount) for amount in (3, 4)]
    assert told(path) == {"sums_total": 7, "now": 2}
    assert folder.living(path) == 2
    assert path.stat().st_mode & 0o777 == 0o700
    assert len({each.name for each in here}) == 2


def test_who_is_gone_still_counts_once_and_has_no_gauge(path):
    first, second = place(path, 3), place(path, 4)
    first.let_go()
    for _ in range(3):
        assert told(path) == {"sums_total": 7, "now": 1}
    second.let_go()
    assert told(path) == {"sums_total": 7}
    assert folder.living(path) == 0
    # However many there have been, what they leave is two files.
    assert {file.name for file in path.iterdir()} == {"counter_ended.db", "histogram_ended.db", "folder.lock"}
    third = place(path, 5)
    assert told(path) == {"sums_total": 12, "now": 1}
    third.let_go()


def test_what_is_let_go_twice_takes_nothing_from_whoever_came_after(path):
    """A number of an open file is given to the next that is opened: it may be a connection to the database."""
    found = place(path, 3)
    number = found._lock
    found.let_go()
    with (path / "other").open("w") as other, (path / "later").open("w") as later:
        assert number in {other.fileno(), later.fileno()}
        found.let_go()
        other.write("mine")
        later.write("mine")
    assert [(path / name).read_text() for name in ("other", "later")] == ["mine", "mine"]


def test_a_process_that_is_killed_is_gone_at_once(path):
    program = f"""
import os, signal
from pathlib import Path
from portal.core.observing import folder
from tests.core.observing.test_folder import place
place(Path({str(path)!r}), 9)
print(folder.living(Path({str(path)!r})), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert (ended.returncode, ended.stdout) == (-9, "1\n"), ended.stderr
    assert told(path) == {"sums_total": 9}


@pytest.mark.parametrize("step", ["write_text", "replace", "unlink"])
def test_one_that_is_killed_while_it_adds_up_adds_nothing_twice_and_loses_nothing(path, monkeypatch, step):
    """Whatever it had done by then: before the new sums stand, after, and before the old file is gone."""
    place(path, 3).let_go()
    assert told(path) == {"sums_total": 3}
    place(path, 4).let_go()
    original = getattr(Path, step)

    def killed(self, *given, **named):
        if self.parent == path and not self.name.startswith("gauge"):
            raise KeyboardInterrupt
        return original(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, killed)
        with pytest.raises(KeyboardInterrupt):
            told(path)
    assert told(path) == {"sums_total": 7}
    assert told(path) == {"sums_total": 7}


def test_where_there_is_no_room_to_add_up_they_are_read_as_they_lie(path, monkeypatch):
    place(path, 3).let_go()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        assert told(path) == {"sums_total": 3}
        with pytest.raises(OSError, match="No space"):
            folder.Place(path)
    # Who found no room has left nothing.
    assert folder.living(path) == 0
    assert told(path) == {"sums_total": 3}


def test_a_file_that_was_cut_off_is_left_out(path):
    here = [place(path, amount) for amount in (3, 4)]
    os.truncate(path / f"counter_{here[0].name}.db", 2)
    assert told(path) == {"sums_total": 4, "now": 2}
    here[0].let_go()
    assert told(path) == {"sums_total": 4, "now": 1}


def test_room_is_taken_before_anything_is_written(path):
    """A page of a mapped file that the disk has no room for would end the process that writes to it."""
    found = folder.Place(path)
    for file in path.glob("*.db"):
        assert file.stat().st_blocks * 512 >= folder.ROOM
    found.let_go()
