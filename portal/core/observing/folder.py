"""The folder in which the processes of one machine keep their measures, for whichever of them is asked.

Each process has files of its own, under a name that never comes again, and holds a lock as long as it lives. What a
process that is gone has counted is added to what all before it had, so that no sum ever goes back; its gauges vanish.
"""

import fcntl
import os
import secrets
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from prometheus_client.mmap_dict import MmapedDict

# Room that is taken at the start: a page of the file that found no room on the disk would end the process.
ROOM: Final = 1 << 20
SUMMED: Final = ("counter", "histogram")
GAUGES: Final = "gauge_livesum"
ALIVE: Final = ".alive"
ENDED: Final = "ended"
# What a file says that was cut off, by a machine that lost its power.
BROKEN: Final = (RuntimeError, ValueError, OSError, struct.error)


class Place:
    """This process's place in the folder. Raises: OSError where there is no room for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path):
            self._lock: int | None = os.open(path / f"{self.name}{ALIVE}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for kind in (*SUMMED, GAUGES):
                    _with_room(_file(path, kind, self.name))
            except OSError:
                self.give_up()
                raise

    def give_up(self) -> None:
        """Leave nothing behind: nothing was counted."""
        for kind in (*SUMMED, GAUGES):
            _file(self.path, kind, self.name).unlink(missing_ok=True)
        (self.path / f"{self.name}{ALIVE}").unlink(missing_ok=True)
        self.let_go()

    def let_go(self) -> None:
        """Hold it no longer: what a fork has handed on belongs to another process."""
        held, self._lock = self._lock, None
        if held is not None:
            # Once only: a number that was given back may by now be somebody else's, a database's for one.
            os.close(held)


def files(path: Path) -> list[str]:
    """The files that say how it stands, after those of processes that are gone were added up.

    Whoever reads them does so within `locked`. Raises: OSError.
    """
    for name in _names(path):
        if not _is_alive(path, name):
            with suppress(OSError):
                # Where there is no room, they are read as they lie.
                _add_up(path, name)
            _file(path, GAUGES, name).unlink(missing_ok=True)
    return sorted(str(file) for file in path.glob("*.db") if _is_whole(file))


def living(path: Path) -> int:
    """How many processes write here at this moment. Raises: OSError."""
    return sum(_is_alive(path, file.name.removesuffix(ALIVE)) for file in path.glob(f"*{ALIVE}"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody comes, and nobody is added up, meanwhile. Raises: OSError."""
    handle = os.open(path / "folder.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _names(path: Path) -> list[str]:
    """Whose files lie there, of the living and the dead."""
    found = {file.name.removesuffix(ALIVE) for file in path.glob(f"*{ALIVE}")}
    found |= {file.stem.rpartition("_")[2] for file in path.glob("*.db")}
    return sorted(found - {ENDED})


def _is_alive(path: Path, name: str) -> bool:
    try:
        handle = os.open(path / f"{name}{ALIVE}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _add_up(path: Path, name: str) -> None:
    """Add what a process has counted that is gone to what was counted before, once, wherever this one is killed."""
    for kind in SUMMED:
        mine, all_before, anew = (_file(path, kind, each) for each in (name, ENDED, f"{name}-{ENDED}"))
        anew = anew.with_suffix(".new")
        done = path / f"{kind}_{name}.done"
        if done.exists() and all_before.exists() and done.read_text() == _number(all_before):
            # It was added already, by one that was killed before it could take the file away.
            mine.unlink(missing_ok=True)
        if mine.exists():
            sums = Counter(_read(all_before))
            sums.update(_read(mine))
            anew.unlink(missing_ok=True)
            _write(anew, sums)
            done.write_text(_number(anew))
            anew.replace(all_before)
            mine.unlink()
        done.unlink(missing_ok=True)
    (path / f"{name}{ALIVE}").unlink(missing_ok=True)


def _number(file: Path) -> str:
    """By what the disk knows the file, whatever its name."""
    return str(file.stat().st_ino)


def _read(file: Path) -> dict[str, float]:
    if not file.exists():
        return {}
    try:
        return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(file))}
    except BROKEN:
        return {}


def _write(file: Path, sums: "Counter[str]") -> None:
    _with_room(file)
    kept = MmapedDict(str(file))
    try:
        for key, value in sums.items():
            kept.write_value(key, value, 0.0)
    finally:
        kept.close()


def _is_whole(file: Path) -> bool:
    try:
        return all(True for _ in MmapedDict.read_all_values_from_file(str(file)))
    except BROKEN:
        return False


def _with_room(file: Path) -> None:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, ROOM)
    finally:
        os.close(handle)


def _file(path: Path, kind: str, name: str) -> Path:
    return path / f"{kind}_{name}.db"


def size(keys: Iterable[str]) -> int:
    """How much room series take, by their keys."""
    return 8 + sum(4 + len(key.encode()) + 8 + 16 for key in keys)
